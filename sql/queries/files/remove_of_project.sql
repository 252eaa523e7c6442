-- All files of a project. Their names stay in file_names.
delete from files where project_id = $1 returning filename, sha256

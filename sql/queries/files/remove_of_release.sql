-- All files of a release. Their names stay in file_names.
delete from files where release_id = $1 returning filename, sha256

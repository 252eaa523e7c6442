-- One file. Its name stays in file_names and is never given again.
delete from files f
using releases r
where f.project_id = $1 and f.filename = $2 and r.id = f.release_id
returning f.filename, f.sha256, r.version

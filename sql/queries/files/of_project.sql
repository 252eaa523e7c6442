-- Files with every digest, for the legacy JSON API.
select f.release_id, f.filename, f.packagetype, f.python_tag, f.size, f.md5, f.sha256, f.blake2b_256,
       f.requires_python, f.metadata_sha256, f.upload_time
from files f
where f.project_id = $1
order by f.filename

-- Every file of a project, as pages and manifests show it. The renderer sorts.
select f.filename, r.version, f.size, f.sha256, f.blake2b_256, f.requires_python,
       r.yanked, r.yanked_reason, f.metadata_sha256, f.upload_time, f.provenance_url
from files f
join releases r on r.id = f.release_id
where f.project_id = $1

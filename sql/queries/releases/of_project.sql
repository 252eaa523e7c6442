-- Releases with their metadata, for the legacy JSON API.
select r.id, r.version, r.metadata, r.yanked, r.yanked_reason
from releases r
where r.project_id = $1

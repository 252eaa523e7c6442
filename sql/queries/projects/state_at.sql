-- A project as it was visible at serial $2; null hashes: it was gone. As in projects/snapshot_at, rows share
-- their transaction's last page, which was visible only from its own serial on.
select p.id, c.name, c.serial, c.html_sha256, c.json_sha256, c.content_sha256, c.files_sha256
from projects p
cross join lateral (
    select name, serial, html_sha256, json_sha256, content_sha256, files_sha256
    from changelog
    where project_id = p.id and coalesce(page_serial, serial) <= $2
    order by serial desc
    limit 1
) c
where p.normalized_name = $1

-- A page of the snapshot at serial $1: each project's state as it was visible then, a batch after
-- name $2. Rows share their transaction's last page, which was visible only from its own serial on.
select p.normalized_name, c.serial, c.html_sha256, c.json_sha256, c.content_sha256
from projects p
cross join lateral (
    select serial, html_sha256, json_sha256, content_sha256
    from changelog
    where project_id = p.id and coalesce(page_serial, serial) <= $1
    order by serial desc
    limit 1
) c
where p.normalized_name > $2
order by p.normalized_name
limit $3

-- The page that a project had at a serial of its own: was what a probe served ever ours?
select c.html_sha256, c.json_sha256
from changelog c
join projects p on p.id = c.project_id
where c.serial = $2 and c.page_serial = $2 and p.normalized_name = $1

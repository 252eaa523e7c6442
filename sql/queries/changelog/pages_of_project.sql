-- The last $2 pages that a project has shown, newest first.
select c.serial, c.html_sha256
from changelog c
join projects p on p.id = c.project_id
where p.normalized_name = $1 and c.page_serial = c.serial
order by c.serial desc
limit $2

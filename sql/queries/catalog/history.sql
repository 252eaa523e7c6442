-- The last changes of a project, newest first.
select serial, at, version, action, html_sha256
from changelog
where project_id = $1 and serial <= $2
order by serial desc
limit $3

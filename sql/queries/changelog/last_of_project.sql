-- What the changelog last said of a project's page.
select serial, page_serial, html_sha256, json_sha256, content_sha256, files_sha256, listed
from changelog
where project_id = $1
order by serial desc
limit 1

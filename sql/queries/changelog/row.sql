-- One row.
select serial, at, normalized_name, c.name, version, kind, action, added, removed, page_serial,
       c.html_sha256, html_size, c.json_sha256, json_size, content_sha256, files_sha256, files_count
from changelog c
left join projects p on p.id = c.project_id
where serial = $1

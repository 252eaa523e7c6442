-- Rows after $1 up to $2, ascending, at most $3; of one project when $4 names it.
select serial, at, normalized_name, c.name, version, kind, action, added, removed, page_serial,
       c.html_sha256, html_size, c.json_sha256, json_size, content_sha256, files_sha256, files_count
from changelog c
left join projects p on p.id = c.project_id
where serial > $1 and serial <= $2
  and ($4::text is null or c.project_id = (select id from projects where normalized_name = $4))
order by serial
limit $3

-- What a project's page is now. Read from the primary after the request came in: linearizable.
select id, last_serial, status, html_sha256, json_sha256
from projects
where normalized_name = $1

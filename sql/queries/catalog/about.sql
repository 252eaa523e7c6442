-- What the page for people says of a project, read from the primary after the request came in.
select id, display_name, status, status_reason, last_serial, html_sha256
from projects
where normalized_name = $1 and state_id is not null

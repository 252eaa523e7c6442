-- Projects in bytewise order of their names, a batch at a time.
select id, normalized_name, status, status_reason, last_serial, state_id is not null as exists,
       html_sha256, json_sha256
from projects
where normalized_name > $1
order by normalized_name
limit $2

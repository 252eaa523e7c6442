-- Nobody else changes this project until the transaction ends.
-- The clock is read here so that all processes share the database's.
select id, display_name, status, status_reason, state_id is not null as exists, last_serial,
       clock_timestamp() as now
from projects
where normalized_name = $1
for update

-- What a project's page is, and how far the index was when this was read, in one snapshot.
-- A standby, which may lag, gives no row.
select s.value as committed, p.id, p.last_serial, p.status, p.html_sha256, p.json_sha256
from serials s
left join projects p on p.normalized_name = $1
where not pg_is_in_recovery()

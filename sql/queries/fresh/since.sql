-- How far the index is, and what is new after $1. One statement is one snapshot, and it sees every commit
-- that was acknowledged before it began. Rows are found by their serials, one by one: few are new, and a
-- plan that reads the table would be run for every batch of readers. More than $2 are not looked through.
-- A standby, which may lag, gives no row. known_at: when row $1 was written, in the history that is here now.
select s.value as committed, last.at as committed_at, known.at as known_at,
       p.normalized_name, p.id, p.last_serial, p.status, p.html_sha256, p.json_sha256
from serials s
left join changelog last on last.serial = s.value
left join changelog known on known.serial = $1
left join lateral (
    select distinct c.project_id
    from generate_series($1 + 1, case when s.value - $1 <= $2 then s.value else $1 end) as new (serial)
    join changelog c on c.serial = new.serial
) changed on true
left join projects p on p.id = changed.project_id
where not pg_is_in_recovery()

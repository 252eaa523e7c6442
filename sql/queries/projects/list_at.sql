-- The list of projects as one snapshot at serial $1: each project's last row up to it.
select p.normalized_name, c.name, c.serial
from projects p
cross join lateral (
    select name, serial, listed
    from changelog
    where project_id = p.id and serial <= $1
    order by serial desc
    limit 1
) c
where c.listed
order by p.normalized_name

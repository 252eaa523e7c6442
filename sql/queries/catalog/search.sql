-- Listed projects at serial $1 whose names begin with $2, after name $3. A range of the index on names,
-- which are compared bytewise: `~` is greater than any of their letters.
select p.normalized_name, c.name, c.serial, c.at
from projects p
cross join lateral (
    select name, serial, at, listed
    from changelog
    where project_id = p.id and serial <= $1
    order by serial desc
    limit 1
) c
where p.normalized_name >= $2 and p.normalized_name < $2 || '~' and p.normalized_name > $3 and c.listed
order by p.normalized_name
limit $4

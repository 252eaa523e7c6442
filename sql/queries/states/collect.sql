-- Lets go of up to $2 states that were replaced longer than $1 seconds ago, with their pages. A replaced
-- state is never shown again, so no writer can want it back.
delete from states
where id in (
    select id from states
    where replaced_at < clock_timestamp() - make_interval(secs => $1::float8)
    order by replaced_at
    limit $2
    for update skip locked
)

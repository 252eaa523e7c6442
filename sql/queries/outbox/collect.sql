-- Lets go of up to $1 outbox rows that were done more than a week ago, oldest first.
delete from outbox
where id in (
    select id from outbox
    where verified_at < clock_timestamp() - interval '7 days'
    order by id
    limit $1
    for update skip locked
)

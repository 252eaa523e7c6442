-- Takes up to $2 due purges of one CDN under a lease. A crash lets the lease run out and the purge is
-- made again; it is never lost.
with due as (
    select outbox_id
    from purges
    where target = $1 and acknowledged_at is null and due_at <= clock_timestamp()
      and (leased_until is null or leased_until < clock_timestamp())
    order by due_at
    limit $2
    for update skip locked
)
update purges p
set leased_by = $3, leased_until = clock_timestamp() + make_interval(secs => $4::float8)
from due, outbox o
where p.target = $1 and p.outbox_id = due.outbox_id and o.id = due.outbox_id
returning p.outbox_id, p.pass, p.attempts, o.keys, o.last_serial

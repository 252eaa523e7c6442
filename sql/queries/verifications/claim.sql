-- Takes up to $2 due looks of one probe under a lease, with what the page must be. page_serial is null
-- when the project is gone.
with due as (
    select outbox_id
    from verifications
    where probe = $1 and seen_at is null and due_at <= clock_timestamp()
      and (leased_until is null or leased_until < clock_timestamp())
    order by due_at
    limit $2
    for update skip locked
)
update verifications v
set leased_by = $3, leased_until = clock_timestamp() + make_interval(secs => $4::float8)
from due
join outbox o on o.id = due.outbox_id
join changelog c on c.serial = o.last_serial
join projects p on p.id = c.project_id
where v.probe = $1 and v.outbox_id = due.outbox_id
returning v.outbox_id, v.stale, v.attempts, o.last_serial, p.normalized_name, c.page_serial,
          c.html_sha256, c.json_sha256

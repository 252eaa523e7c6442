-- A transaction is purged when no CDN owes an acknowledgement; with no CDN at once. Verified likewise
-- (without probes). Idempotent: run after every acknowledgement, and by polling after a crash.
update outbox o
set purged_at = clock_timestamp(), verified_at = clock_timestamp()
where purged_at is null
  and not exists (select 1 from purges where outbox_id = o.id and acknowledged_at is null)

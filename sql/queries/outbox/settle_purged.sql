-- A transaction is purged when no CDN owes an acknowledgement; with no CDN at once. From then on every
-- probe owes a look, not sooner than the purge can have arrived.
-- Idempotent: run after every acknowledgement, and by polling after a crash.
with purged as (
    update outbox o
    set purged_at = clock_timestamp()
    where purged_at is null
      and not exists (select 1 from purges where outbox_id = o.id and acknowledged_at is null)
    returning id
)
insert into verifications (outbox_id, probe, due_at)
select purged.id, probes.name, clock_timestamp() + probes.wait
from purged, probes
on conflict on constraint verifications_pkey do nothing

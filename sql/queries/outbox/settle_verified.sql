-- A transaction is verified when it is purged and no probe owes a look; with no probe at once.
update outbox o
set verified_at = clock_timestamp()
where verified_at is null and purged_at is not null
  and not exists (select 1 from verifications where outbox_id = o.id and seen_at is null)

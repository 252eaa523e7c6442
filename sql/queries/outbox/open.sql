-- Duties not done yet.
select count(*) as open from outbox where purged_at is null or verified_at is null

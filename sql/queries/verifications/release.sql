-- A clean shutdown gives its leases back.
update verifications
set leased_by = null, leased_until = null
where leased_by = $1 and seen_at is null

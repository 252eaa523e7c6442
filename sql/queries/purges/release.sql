-- A clean shutdown gives its leases back, so that nobody has to wait for them to run out.
update purges
set leased_by = null, leased_until = null
where leased_by = $1 and acknowledged_at is null

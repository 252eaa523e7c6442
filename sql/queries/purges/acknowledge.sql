-- The CDN said yes. After pass 1 the second pass falls due; after pass 2 this CDN is done.
update purges
set pass = 2,
    due_at = clock_timestamp() + make_interval(secs => $4::float8),
    acknowledged_at = case when pass = 2 then clock_timestamp() end,
    attempts = 0, leased_by = null, leased_until = null, last_error = null
where target = $1 and outbox_id = any($2::bigint[]) and leased_by = $3

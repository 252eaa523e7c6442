-- The CDN did not say yes: again later, for ever.
update purges
set due_at = clock_timestamp() + make_interval(secs => $4::float8),
    attempts = attempts + 1, leased_by = null, leased_until = null, last_error = $5
where target = $1 and outbox_id = any($2::bigint[]) and leased_by = $3

-- The probe served an old page, or nothing: look again later.
update verifications
set due_at = clock_timestamp() + make_interval(secs => $4::float8),
    stale = stale + case when $6::boolean then 1 else 0 end,
    attempts = case when $6::boolean then 0 else attempts + 1 end,
    leased_by = null, leased_until = null, last_error = $5
where probe = $1 and outbox_id = any($2::bigint[]) and leased_by = $3

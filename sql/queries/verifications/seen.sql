-- The probe has served this page or a newer one.
update verifications
set seen_at = clock_timestamp(), leased_by = null, leased_until = null, last_error = null
where probe = $1 and outbox_id = any($2::bigint[]) and leased_by = $3

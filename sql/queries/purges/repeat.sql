-- An old page was seen after all purges: one more pass, at every CDN.
update purges
set pass = 2, due_at = clock_timestamp(), attempts = 0, acknowledged_at = null
where outbox_id = any($1::bigint[]) and acknowledged_at is not null

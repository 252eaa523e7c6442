-- For the operator's eyes.
update probes set last_seen_at = clock_timestamp(), last_error = null where name = $1

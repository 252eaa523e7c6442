-- For the operator's eyes.
update cdn_targets set last_acknowledged_at = clock_timestamp(), last_error = null where name = $1

-- For the operator's eyes.
update cdn_targets set last_error = $2 where name = $1

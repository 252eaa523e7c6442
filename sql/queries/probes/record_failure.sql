-- For the operator's eyes.
update probes set last_error = $2 where name = $1

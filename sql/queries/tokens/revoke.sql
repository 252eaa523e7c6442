-- Revoked for good; the row stays for the record.
update tokens set revoked_at = clock_timestamp() where name = $1 and revoked_at is null

-- The fixed token of lockstep dev: set again at each start.
insert into tokens (name, sha256, scopes) values ($1, $2, $3)
on conflict on constraint token_name_key
do update set sha256 = excluded.sha256, scopes = excluded.scopes, revoked_at = null, expires_at = null

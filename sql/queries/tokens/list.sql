-- All tokens, oldest first.
select name, scopes, created_at, expires_at, revoked_at, last_used_at from tokens order by id

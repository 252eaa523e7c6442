-- Only the hash of the secret is kept.
insert into tokens (name, sha256, scopes, expires_at) values ($1, $2, $3, $4) returning id

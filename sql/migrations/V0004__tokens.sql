-- Access tokens. The secret is shown once and never stored; only its SHA-256 is.
create table tokens (
    id           bigint      generated always as identity constraint tokens_pkey primary key,
    name         text        not null constraint token_name_key unique,
    sha256       bytea       not null constraint token_sha256_key unique,
    scopes       text[]      not null,
    created_at   timestamptz not null default clock_timestamp(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

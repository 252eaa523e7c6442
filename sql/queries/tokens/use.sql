-- Looks a token up by its hash and notes the use (not more than once a minute, to spare writes).
with found as (
    select id, name, scopes, last_used_at
    from tokens
    where sha256 = $1 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
), noted as (
    update tokens set last_used_at = clock_timestamp()
    where id in (select id from found where last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')
)
select id, name, scopes from found

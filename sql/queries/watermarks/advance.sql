-- Moves forward, never back, whoever else moves it at the same time.
with moved as (
    update watermarks
    set purged = greatest(purged, $1), verified = greatest(verified, $2), announced = greatest(announced, $3)
    where purged < $1 or verified < $2 or announced < $3
    returning announced
)
select pg_notify('lockstep_announced', announced::text) from moved

-- How far each stage has come, and what is open, in one snapshot. A row older than $1 seconds no longer
-- holds the announcement (announce.max_wait); null: for ever.
select s.value as committed, w.purged, w.verified, w.announced,
       (select min(first_serial) from outbox where purged_at is null) as first_unpurged,
       (select min(first_serial) from outbox where verified_at is null) as first_unverified,
       (select min(first_serial) from outbox
        where purged_at is null and ($1::float8 is null or committed_at > clock_timestamp() - make_interval(secs => $1))
       ) as first_holding_purge,
       (select min(first_serial) from outbox
        where verified_at is null and ($1::float8 is null or committed_at > clock_timestamp() - make_interval(secs => $1))
       ) as first_holding_verify
from serials s, watermarks w

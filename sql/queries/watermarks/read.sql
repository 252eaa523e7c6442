-- How far each stage has come, and what is open, in one snapshot.
select s.value as committed, w.purged, w.verified, w.announced,
       (select min(first_serial) from outbox where purged_at is null) as first_unpurged,
       (select min(first_serial) from outbox where verified_at is null) as first_unverified
from serials s, watermarks w

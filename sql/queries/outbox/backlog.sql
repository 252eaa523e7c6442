-- What the stages have before them, and since when, for the metrics.
select count(*) filter (where purged_at is null) as unpurged,
       count(*) filter (where purged_at is not null) as unverified,
       coalesce(extract(epoch from clock_timestamp() - min(committed_at)), 0)::float8 as oldest_seconds
from outbox
where purged_at is null or verified_at is null

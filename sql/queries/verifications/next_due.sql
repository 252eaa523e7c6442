-- In how many seconds the next look of a probe falls due; null when there is none.
select extract(epoch from min(greatest(due_at, coalesce(leased_until, due_at))) - clock_timestamp())::float8 as seconds
from verifications
where probe = $1 and seen_at is null

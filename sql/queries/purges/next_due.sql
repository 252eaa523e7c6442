-- In how many seconds the next purge of a CDN falls due; null when there is none.
select extract(epoch from min(greatest(due_at, coalesce(leased_until, due_at))) - clock_timestamp())::float8 as seconds
from purges
where target = $1 and acknowledged_at is null

-- Takes the right to make one call if there are at least $1; no row: not now. A right comes every 20 s
-- and at most 20 are kept: 180 an hour and 20, so no hour sees more than 200, whoever takes them.
with moment as materialized (
    select clock_timestamp() as at
), filled as (
    select e.one, moment.at, least(20, e.tokens + greatest(0, extract(epoch from moment.at - e.at)) / 20) as tokens
    from edge_checks e, moment
    for update of e
)
update edge_checks e
set tokens = filled.tokens - 1, at = greatest(e.at, filled.at)
from filled
where filled.tokens >= $1::float8
returning e.tokens

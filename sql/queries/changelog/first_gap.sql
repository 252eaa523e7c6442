-- Density: the first serial of 1..value without a row; null when there is none missing.
select min(wanted) as missing
from serials, generate_series(1, value) as wanted
where not exists (select 1 from changelog where serial = wanted)

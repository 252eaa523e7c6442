-- Density: the first serial of 1..value without a row; null when there is none missing. Serials are a
-- primary key and positive, so as many rows as serials means that none is missing; only otherwise is
-- it worth finding out which.
select case
           when (select count(*) from changelog where serial <= s.value) < s.value then
               (select min(wanted)
                from generate_series(1, s.value) as wanted
                where not exists (select 1 from changelog where serial = wanted))
       end as missing
from serials s

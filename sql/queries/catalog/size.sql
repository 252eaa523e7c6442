-- How big the index is: counted while that is cheap, and the planner's estimate beyond 100,000 rows.
select
    case when p.reltuples < 100000
         then (select count(*) from projects where state_id is not null and status <> 'quarantined')
         else p.reltuples::bigint end as projects,
    case when f.reltuples < 100000
         then (select count(*) from files)
         else f.reltuples::bigint end as files,
    greatest(p.reltuples, f.reltuples) >= 100000 as estimated
from pg_class p, pg_class f
where p.oid = 'projects'::regclass and f.oid = 'files'::regclass

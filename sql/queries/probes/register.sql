-- The probes of the settings …
insert into probes (name, kind, wait)
select name, kind, make_interval(secs => wait)
from unnest($1::text[], $2::text[], $3::float8[]) as given (name, kind, wait)
on conflict on constraint probes_pkey do update set kind = excluded.kind, wait = excluded.wait

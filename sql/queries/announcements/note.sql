-- Notes that mirrors can see everything up to the announced serial by now. Run after the transaction that
-- announced it: so the time is never earlier than the moment it could be seen. Never earlier than the last
-- time either, whatever happens to the clock. What is more than $1 serials back is forgotten.
with forgotten as (
    delete from announcements where serial < (select announced - $1::bigint from watermarks)
)
insert into announcements (serial, at)
select announced, greatest(clock_timestamp(), (select max(at) from announcements))
from watermarks
on conflict on constraint announcements_pkey do nothing

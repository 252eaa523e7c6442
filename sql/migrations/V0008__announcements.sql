-- When mirrors could first know of which serial: what a mirror is answered by that asks for changes since
-- a time, and not since a serial. A row may be announced long after it was committed, so the time of the
-- commit can't answer that (changelog.at).
create table announcements (
    serial bigint not null constraint announcements_pkey primary key,
    at timestamptz not null
);
create index announcements_by_time on announcements (at, serial);
-- What was announced so far: nothing better is known of it than when it was committed.
insert into announcements (serial, at)
select changelog.serial, max(at) over (order by changelog.serial)
from changelog, watermarks
where changelog.serial between announced - 50000 and announced;

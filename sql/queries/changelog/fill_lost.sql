-- Fills the serials up to $1 that a lost database had announced, and moves the counter past them.
-- $2: the hash of nothing, which both manifests of such a row have.
with moved as (
    update serials set value = $1 where value < $1 returning value
), was as (
    select coalesce(max(serial), 0) as last from changelog
)
insert into changelog (serial, at, kind, action, content_sha256, files_sha256, files_count, listed)
select lost, clock_timestamp(), 'serial-lost',
       'serial lost: the database was restored from an older backup', $2, $2, 0, false
from moved, was, generate_series(was.last + 1, moved.value) as lost

-- The content manifest at a serial. No row: unknown serial. content is null once retention has let
-- it go; a serial at which the project is gone has the empty one.
select case when c.page_serial is null then ''::bytea else s.content end as content
from changelog c
left join states s on s.id = c.state_id
where c.serial = $1

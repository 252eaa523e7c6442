-- The last serial that a lost database had announced; no row: none was ever lost. Such rows alone are
-- about no project, and the order is that of changelog_by_project: one look into the index.
select serial
from changelog
where project_id is null
order by project_id, serial desc
limit 1

-- The newest projects that were there at serial $1, for the feed. One that was removed and came again
-- counts from its last coming.
select c.serial, c.at, p.normalized_name, c.name, null::text as version, (
           select r.metadata ->> 'summary' from releases r
           where r.project_id = c.project_id order by r.id desc limit 1
       ) as summary
from changelog c
join projects p on p.id = c.project_id
where c.kind = 'create' and c.serial <= $1
  and not exists (
      select from changelog gone
      where gone.project_id = c.project_id and gone.serial > c.serial and gone.serial <= $1
        and gone.kind = 'remove-project'
  )
  and (
      select last.listed from changelog last
      where last.project_id = c.project_id and last.serial <= $1
      order by last.serial desc limit 1
  )
order by c.serial desc
limit $2

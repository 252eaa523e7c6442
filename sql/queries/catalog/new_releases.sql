-- The newest releases that were there at serial $1, for the feed and the front page. What was removed
-- since, and the projects that the list hides, are left out; so are releases that have lost their last
-- file. Their files and the summary are of today, and may be gone.
select c.serial, c.at, p.normalized_name, c.name, c.version, r.metadata ->> 'summary' as summary
from changelog c
join projects p on p.id = c.project_id
left join releases r on r.project_id = c.project_id and r.version = c.version
where c.kind = 'new-release' and c.serial <= $1
  and (r.id is null or exists (select from files f where f.release_id = r.id))
  and not exists (
      select from changelog gone
      where gone.project_id = c.project_id and gone.serial > c.serial and gone.serial <= $1
        and (gone.kind = 'remove-project' or (gone.kind = 'remove-release' and gone.version = c.version))
  )
  and (
      select last.listed from changelog last
      where last.project_id = c.project_id and last.serial <= $1
      order by last.serial desc limit 1
  )
order by c.serial desc
limit $2

-- A project's newest releases as of its serial $2, for its feed. One without files is no news.
select c.serial, c.at, p.normalized_name, c.name, c.version, r.metadata ->> 'summary' as summary
from changelog c
join projects p on p.id = c.project_id
join releases r on r.project_id = c.project_id and r.version = c.version
where c.project_id = $1 and c.kind = 'new-release' and c.serial <= $2
  and exists (select from files f where f.release_id = r.id)
  and not exists (
      select from changelog gone
      where gone.project_id = c.project_id and gone.serial > c.serial and gone.serial <= $2
        and (gone.kind = 'remove-project' or (gone.kind = 'remove-release' and gone.version = c.version))
  )
order by c.serial desc
limit $3

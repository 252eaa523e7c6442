-- What a project's files come to, and how many sdists the release of one of them has.
select coalesce(sum(f.size), 0)::bigint as size,
       count(*) filter (where f.packagetype = 'sdist' and f.release_id = own.release_id) as sdists
from files f
join files own on own.filename = $2
where f.project_id = $1

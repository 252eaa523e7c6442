-- Whether there is a project of this name, and if there never was, whether another looks like it.
select
    coalesce(bool_or(normalized_name = $1 and state_id is not null), false) as exists,
    coalesce(not bool_or(normalized_name = $1), false) as resembles
from projects
where normalized_name = $1 or glance = $2

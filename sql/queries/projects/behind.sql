-- Up to $2 projects that the changelog has not spoken of since serial $1, in bytewise order after name $3.
select normalized_name
from projects
where last_serial <= $1 and normalized_name > $3
order by normalized_name
limit $2

-- How many projects the changelog has not spoken of since serial $1.
select count(*) as projects from projects where last_serial <= $1

-- For progress bars.
select count(*) as projects from projects

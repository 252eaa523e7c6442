-- For progress bars.
select count(*) as files from files

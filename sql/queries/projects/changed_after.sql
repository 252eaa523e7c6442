-- Projects whose caches may be older than what came after a serial.
select normalized_name, last_serial
from projects
where last_serial > $1
order by normalized_name

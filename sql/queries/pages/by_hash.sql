-- A page's bytes up to its tail, and what its tail is made of.
select g.form, g.serial, case g.form when 'html' then s.html else s.json end as body
from pages g
join states s on s.id = g.state_id
where g.sha256 = $1

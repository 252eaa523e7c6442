-- A blob condemned more than a day ago, locked until this transaction ends; no upload can take that long.
select blake2b_256, name
from condemned_blobs
where condemned_at < clock_timestamp() - interval '1 day'
order by condemned_at
limit 1
for update skip locked

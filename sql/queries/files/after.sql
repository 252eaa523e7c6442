-- Files in bytewise order of their names, a batch at a time, for checking their bytes.
select filename, size, sha256, blake2b_256, metadata_sha256
from files
where filename > $1
order by filename
limit $2

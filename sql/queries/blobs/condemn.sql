-- Condemns those of the given blobs that no file names; a blob that is condemned already keeps its date.
insert into condemned_blobs (blake2b_256, name)
select blob.digest, blob.name
from unnest($1::bytea[], $2::text[]) as blob (digest, name)
where not exists (select 1 from files f where f.blake2b_256 = blob.digest)
on conflict on constraint condemned_blobs_pkey do nothing

-- Does a file name this blob after all?
select exists (select 1 from files where blake2b_256 = $1) as named

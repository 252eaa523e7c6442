-- Is this name taken by a file that is there?
select sha256, blake2b_256 from files where filename = $1

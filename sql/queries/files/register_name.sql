-- Takes a file name for ever; the constraint refuses one that was ever used.
insert into file_names (filename, sha256) values ($1, $2)

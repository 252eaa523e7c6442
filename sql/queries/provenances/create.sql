-- The provenance of a file that this transaction has created.
insert into provenances (filename, document)
values ($1, $2)

-- After its files, in the same transaction.
delete from releases where id = $1

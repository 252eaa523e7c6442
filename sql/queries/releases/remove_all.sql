-- After the project's files, in the same transaction.
delete from releases where project_id = $1

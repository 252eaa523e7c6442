-- A migration, and waiting for one, may take its time.
set statement_timeout = 0

-- Rows above the serial counter; there can be none.
select count(*) as rows from changelog, serials where serial > value

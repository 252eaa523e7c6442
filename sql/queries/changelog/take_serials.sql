-- Gives out $1 serials. From here until the transaction ends, every other change of the index waits:
-- that wait is what makes serial order commit order.
update serials set value = value + $1 returning value

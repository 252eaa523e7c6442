-- Marks a locked project; its page follows in the same transaction.
update projects set status = $2, status_reason = $3 where id = $1

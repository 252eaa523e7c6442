-- What was taken for an upload that made nothing new. A budget that has filled up meanwhile is not more
-- than full by it: it counts from now.
update upload_budgets set full_at = full_at - make_interval(secs => $2) where token_id = $1

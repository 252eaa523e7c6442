-- In how many seconds a token's budget is full again; for the words of a refusal.
select extract(epoch from full_at - clock_timestamp())::float8 as full_in
from upload_budgets
where token_id = $1

-- Takes one of a token's uploads, if there is one; no row: there is none. The row is the lock: of two
-- processes that take the last one, the second waits for the first and finds none.
insert into upload_budgets as b (token_id, full_at)
values ($1, clock_timestamp() + make_interval(secs => $2))
on conflict on constraint upload_budgets_pkey do update
set full_at = greatest(b.full_at, clock_timestamp()) + make_interval(secs => $2)
where b.full_at <= clock_timestamp() + make_interval(secs => $3 - $2)
returning extract(epoch from full_at - clock_timestamp())::float8 as full_in

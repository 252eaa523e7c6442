-- How many new files each token may still upload (`upload.rate`), for all processes together. A budget
-- that was never used has no row and is full.
create table upload_budgets (
    token_id bigint      constraint upload_budgets_pkey primary key
                         constraint upload_budget_token_fkey references tokens (id) on delete cascade,
    -- One comes back in each interval of the setting; this is when all are there.
    full_at  timestamptz not null
);

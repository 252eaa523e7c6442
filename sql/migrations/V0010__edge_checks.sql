-- What is left of the calls that an account may make to Fastly's edge check: 200 in any hour. One row
-- for the whole index, so that neither a restart nor a renamed probe begins a new budget. It begins
-- empty and fills slowly (edge_checks/take.sql).
create table edge_checks (
    one    boolean          constraint edge_checks_pkey primary key default true
                            constraint edge_checks_one check (one),
    tokens double precision not null default 0,
    at     timestamptz      not null default clock_timestamp()
);
insert into edge_checks default values;

-- The duty to purge, written in the same transaction as the change it follows from, and how far
-- each stage has come.

-- The CDNs that must acknowledge. Written by each start of serve from its settings, so that all
-- processes agree on who has to say yes.
create table cdn_targets (
    name       text collate "C" constraint cdn_targets_pkey primary key,
    kind       text not null,
    last_error text,
    last_acknowledged_at timestamptz
);

-- One row a transaction. first_serial..last_serial are its changelog rows: they pass together.
create table outbox (
    id           bigint      generated always as identity constraint outbox_pkey primary key,
    first_serial bigint      not null,
    last_serial  bigint      not null,
    keys         text[]      not null,
    committed_at timestamptz not null default clock_timestamp(),
    -- Every CDN has acknowledged both passes.
    purged_at    timestamptz,
    -- Every probe has seen the page or a newer one.
    verified_at  timestamptz,
    constraint outbox_range check (first_serial <= last_serial)
);
create index outbox_unpurged on outbox (first_serial) where purged_at is null;
create index outbox_unverified on outbox (first_serial) where verified_at is null;

-- One row a transaction and CDN: pass 1, then pass 2, then acknowledged.
create table purges (
    outbox_id       bigint      not null constraint purge_outbox_fkey references outbox on delete cascade,
    target          text        collate "C" not null constraint purge_target_fkey references cdn_targets on delete cascade,
    pass            smallint    not null default 1 constraint purge_pass_known check (pass in (1, 2)),
    due_at          timestamptz not null default clock_timestamp(),
    attempts        integer     not null default 0,
    leased_by       uuid,
    leased_until    timestamptz,
    last_error      text,
    acknowledged_at timestamptz,
    constraint purges_pkey primary key (outbox_id, target)
);
create index purges_due on purges (target, due_at) where acknowledged_at is null;

-- How far each stage has come. One row; it never goes back.
create table watermarks (
    one       boolean constraint watermarks_pkey primary key default true constraint watermarks_one check (one),
    purged    bigint  not null default 0,
    verified  bigint  not null default 0,
    announced bigint  not null default 0
);
insert into watermarks default values;

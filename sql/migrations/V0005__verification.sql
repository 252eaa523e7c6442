-- Verification: the probes that must have seen a page before mirrors are told of it.

-- Where "verify" reads back. Written by each start of serve from its settings, like cdn_targets.
create table probes (
    name       text collate "C" constraint probes_pkey primary key,
    kind       text not null,
    -- How long after the last purge a look makes sense: the CDN's own propagation time.
    wait       interval not null,
    last_error text,
    last_seen_at timestamptz
);

-- One row a transaction and probe, written when the transaction is purged.
create table verifications (
    outbox_id    bigint      not null constraint verification_outbox_fkey references outbox on delete cascade,
    probe        text        collate "C" not null constraint verification_probe_fkey references probes on delete cascade,
    due_at       timestamptz not null,
    -- Looks that found an old page; each has led to another purge.
    stale        integer     not null default 0,
    -- Looks in a row that found nothing at all (the probe is down).
    attempts     integer     not null default 0,
    leased_by    uuid,
    leased_until timestamptz,
    last_error   text,
    seen_at      timestamptz,
    constraint verifications_pkey primary key (outbox_id, probe)
);
create index verifications_due on verifications (probe, due_at) where seen_at is null;

-- Retention: what may be let go, and when.

-- When another state took this one's place; null while it is shown.
alter table states add column replaced_at timestamptz;
-- Letting a state go asks whether a project still shows it.
create index projects_by_state on projects (state_id);
create index states_replaced on states (replaced_at) where replaced_at is not null;

-- Blobs that no file row names. Condemned first, deleted a day later, and pardoned by an upload of the
-- same bytes in between; so nothing that an upload relies on is ever deleted under it.
create table condemned_blobs (
    blake2b_256  bytea       not null,
    name         text        collate "C" not null,
    condemned_at timestamptz not null default clock_timestamp(),
    constraint condemned_blobs_pkey primary key (blake2b_256, name)
);

-- The index itself: its identity, projects, releases, files, and every file name ever used.
-- Constraints are named, because the code maps them to answers by their names.

create table index_identity (
    one        boolean     constraint index_identity_pkey primary key default true
                           constraint index_identity_one check (one),
    index_id   uuid        not null default gen_random_uuid(),
    -- Part of every page's bytes; null until the first serve fixes it. '' = relative links.
    files_url  text,
    created_at timestamptz not null default clock_timestamp()
);
insert into index_identity default values;

-- One rendered state of a project: both representations up to their serial (the tail is appended
-- when they are read), and the content manifest. Immutable; rows of replaced states live for the
-- retention time.
create table states (
    id         bigint      generated always as identity constraint states_pkey primary key,
    html       bytea       not null,
    json       bytea       not null,
    content    bytea       not null,
    renderer   smallint    not null,
    created_at timestamptz not null default clock_timestamp()
);

create table projects (
    id              bigint      generated always as identity constraint projects_pkey primary key,
    normalized_name text        collate "C" not null constraint project_name_key unique,
    display_name    text        not null,
    status          text        not null default 'active'
        constraint project_status_known check (status in ('active', 'archived', 'quarantined', 'deprecated')),
    status_reason   text,
    -- The last change; 0 only inside the transaction that creates the project.
    last_serial     bigint      not null default 0,
    -- What its page shows now; null when the project is gone (the row stays, so that a project
    -- created again keeps a rising serial).
    state_id        bigint      constraint project_state_fkey references states,
    html_sha256     bytea,
    json_sha256     bytea,
    created_at      timestamptz not null default clock_timestamp(),
    constraint project_page_whole check (
        (state_id is null) = (html_sha256 is null) and (state_id is null) = (json_sha256 is null))
);

create table releases (
    id                bigint  generated always as identity constraint releases_pkey primary key,
    project_id        bigint  not null constraint release_project_fkey references projects,
    version           text    collate "C" not null,
    -- Without trailing zeros: 1.0 and 1.0.0 are one release.
    canonical_version text    collate "C" not null,
    -- Core metadata of the first file, as JSON.
    metadata          jsonb   not null,
    -- Yanked is a property of the release; each of its files shows it (PEP 592).
    yanked            boolean not null default false,
    yanked_reason     text,
    created_at        timestamptz not null default clock_timestamp(),
    constraint release_version_key unique (project_id, canonical_version),
    constraint release_yank_reason check (yanked or yanked_reason is null)
);

-- File names are never given twice, not even after a removal: installers pin them.
create table file_names (
    filename    text        collate "C" constraint file_name_key primary key,
    sha256      bytea       not null,
    first_used  timestamptz not null default clock_timestamp()
);

create table files (
    id              bigint      generated always as identity constraint files_pkey primary key,
    release_id      bigint      not null constraint file_release_fkey references releases,
    project_id      bigint      not null constraint file_project_fkey references projects,
    filename        text        collate "C" not null constraint file_filename_key unique,
    packagetype     text        not null
        constraint file_packagetype_known check (packagetype in ('sdist', 'bdist_wheel')),
    python_tag      text        not null,
    size            bigint      not null constraint file_size_positive check (size > 0),
    md5             bytea       not null,
    sha256          bytea       not null,
    blake2b_256     bytea       not null constraint file_digest_key unique,
    requires_python text,
    -- Hash of the .metadata file beside it (PEP 658); null for sdists.
    metadata_sha256 bytea,
    upload_time     timestamptz not null
);
create index files_by_project on files (project_id);
create index files_by_release on files (release_id);

-- The changelog and the pages it names.

-- The one row that gives out serials. A sequence would show 2 before 1 and lose 1 for every mirror
-- that saw 2; a locked row gives them in commit order, and a roll-back gives the number back.
create table serials (
    one   boolean constraint serials_pkey primary key default true constraint serials_one check (one),
    value bigint  not null default 0
);
insert into serials default values;

create table changelog (
    serial       bigint      constraint changelog_pkey primary key,
    at           timestamptz not null,
    project_id   bigint      not null constraint changelog_project_fkey references projects,
    -- How the project spelled itself then.
    name         text        not null,
    version      text,
    kind         text        not null,
    action       text        not null,
    added        jsonb       not null default '{}',
    removed      jsonb       not null default '{}',
    -- What /simple/<project>/ shows once this serial is visible; all null when the project is gone.
    -- Rows of one transaction share the last one's page: only that state was ever visible.
    page_serial  bigint,
    html_sha256  bytea,
    html_size    bigint,
    json_sha256  bytea,
    json_size    bigint,
    renderer     smallint,
    -- What the page says, whatever its form. Of an absent project: the hash of nothing.
    content_sha256 bytea     not null,
    files_sha256   bytea     not null,
    files_count    integer   not null,
    -- Whether the list of projects shows it after this row.
    listed         boolean   not null,
    -- Where the content manifest is kept. No foreign key: retention lets states go, and a row of
    -- the changelog is never touched again.
    state_id       bigint,
    constraint changelog_page_whole check (
        (page_serial is null) = (html_sha256 is null) and (page_serial is null) = (json_sha256 is null))
);
create index changelog_by_project on changelog (project_id, serial desc);

-- Pages by hash. The bytes are the state's plus a tail made of the serial.
create table pages (
    sha256   bytea    constraint pages_pkey primary key,
    state_id bigint   not null constraint page_state_fkey references states on delete cascade,
    form     text     not null constraint page_form_known check (form in ('html', 'json')),
    serial   bigint   not null
);
create index pages_by_state on pages (state_id);

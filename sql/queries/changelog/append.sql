-- Everything a change makes visible, in one statement, because the serial lock is held meanwhile:
-- the changelog rows, the pages by their hashes, the project's current page, the duty to purge.
with moment as materialized (
    select clock_timestamp() as at
), rows as (
    insert into changelog (serial, at, project_id, name, version, kind, action, added, removed,
                           page_serial, html_sha256, html_size, json_sha256, json_size, renderer,
                           content_sha256, files_sha256, files_count, listed, state_id)
    select $1::bigint + change.position - 1, moment.at, $3::bigint, $4::text,
           change.version, change.kind, change.action, change.added, change.removed,
           case when $11::bigint is not null then $2::bigint end,
           $10::bytea, $12::bigint, $13::bytea, $14::bigint,
           case when $11::bigint is not null then $15::smallint end,
           $16::bytea, $17::bytea, $18::integer, $19::boolean, $11
    from moment,
         unnest($5::text[], $6::text[], $7::text[], $8::jsonb[], $9::jsonb[])
             with ordinality as change (version, kind, action, added, removed, position)
), page_rows as (
    insert into pages (sha256, state_id, form, serial)
    select page.sha256, $11, page.form, $2::bigint
    from (values ($10::bytea, 'html'), ($13::bytea, 'json')) as page (sha256, form)
    where $11::bigint is not null
), replaced as (
    -- The statement sees the project as it was before: this is the state that is replaced.
    update states
    set replaced_at = moment.at
    from moment, projects
    where projects.id = $3 and states.id = projects.state_id
), current_page as (
    update projects
    set display_name = $4, last_serial = $2, state_id = $11, html_sha256 = $10, json_sha256 = $13
    where id = $3
), duty as (
    insert into outbox (first_serial, last_serial, keys) values ($1, $2, $20::text[]) returning id
), purge_rows as (
    insert into purges (outbox_id, target) select duty.id, cdn_targets.name from duty, cdn_targets
)
-- Delivered at commit, to whoever listens; polling finds the row without it.
select pg_notify('lockstep_committed', ($2::bigint)::text)

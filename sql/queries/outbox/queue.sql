-- A duty to purge that no change brings, at a serial that has its row in the changelog. Equal
-- notifications of one transaction are delivered once.
with duty as (
    -- Rows that share a page pass together: from the first of them.
    insert into outbox (first_serial, last_serial, keys)
    select coalesce(min(c.serial), $1), $1, $2::text[]
    from changelog l
    join changelog c on c.project_id = l.project_id and c.page_serial = l.page_serial
    where l.serial = $1
    returning id
), purge_rows as (
    insert into purges (outbox_id, target) select duty.id, cdn_targets.name from duty, cdn_targets
)
select pg_notify('lockstep_committed', '')

-- A duty to purge that no change brings, at a serial that has its row in the changelog. Equal
-- notifications of one transaction are delivered once.
with duty as (
    insert into outbox (first_serial, last_serial, keys) values ($1, $1, $2::text[]) returning id
), purge_rows as (
    insert into purges (outbox_id, target) select duty.id, cdn_targets.name from duty, cdn_targets
)
select pg_notify('lockstep_committed', '')

-- The CDNs of the settings …
insert into cdn_targets (name, kind)
select * from unnest($1::text[], $2::text[])
on conflict on constraint cdn_targets_pkey do update set kind = excluded.kind

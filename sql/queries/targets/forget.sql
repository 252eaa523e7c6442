-- … and no others: a CDN that was taken out of the settings no longer owes anything.
delete from cdn_targets where name <> all ($1::text[]) returning name

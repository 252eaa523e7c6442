-- … and no others: a probe that was taken out of the settings holds nothing back any more.
delete from probes where name <> all ($1::text[]) returning name

-- Two first uploads at once: the second waits here for the first to end, then finds its row. Every
-- constraint counts, and not one named here: of two names that look alike the second makes no row,
-- and of two uploads to one new project neither may stumble over the other's glance.
insert into projects (normalized_name, display_name, glance)
values ($1, $2, $3)
on conflict do nothing

-- Two first uploads at once: the second waits here for the first to end, then finds its row.
insert into projects (normalized_name, display_name)
values ($1, $2)
on conflict on constraint project_name_key do nothing

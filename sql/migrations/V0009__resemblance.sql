-- What a name looks like at a glance: without separators, `l` and `i` as `1`, `o` as `0`. Two new
-- projects can't have the same. Null: a project that looked like an older one before this rule, or
-- that a process without the rule made; it keeps its name.
alter table projects add column glance text;
update projects
set glance = translate(normalized_name, 'lio-', '110')
where not exists (
    select
    from projects as older
    where older.id < projects.id
      and translate(older.normalized_name, 'lio-', '110') = translate(projects.normalized_name, 'lio-', '110')
);
alter table projects add constraint project_glance_key unique (glance);

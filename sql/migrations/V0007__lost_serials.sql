-- Serials that were announced by a database that is lost: after a restore from an older backup
-- `lockstep advance-serial` fills them with rows that say so, so that none is ever given twice and
-- the changelog stays dense. Such a row is about no project.
alter table changelog alter column project_id drop not null;
alter table changelog alter column name drop not null;

-- The versions of a project, without their long metadata.
select id, version, yanked, yanked_reason from releases where project_id = $1

-- A release by its canonical version: 1.0 and 1.0.0 are one.
select id, version, yanked, yanked_reason from releases where project_id = $1 and canonical_version = $2

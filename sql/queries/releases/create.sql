-- The first file of a version brings the release into being, with that file's metadata.
insert into releases (project_id, version, canonical_version, metadata)
values ($1, $2, $3, $4)
returning id

-- A file of a release.
insert into files (release_id, project_id, filename, packagetype, python_tag, size, md5, sha256,
                   blake2b_256, requires_python, metadata_sha256, upload_time, provenance_url)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- A file's provenance, by the whole of its address: nothing is served under another project or release.
-- None of a quarantined project, whose pages show no file either.
select v.document
from provenances v
join files f on f.filename = v.filename
join releases r on r.id = f.release_id
join projects p on p.id = f.project_id
where v.filename = $1 and p.normalized_name = $2 and r.canonical_version = $3 and p.status <> 'quarantined'

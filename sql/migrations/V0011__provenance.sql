-- Provenance (PEP 740): attestations that were verified when their file came.

-- Where a file's provenance is found; part of its page's bytes, and therefore kept as it was said: a
-- later change of `public_url` must not change pages that no row of the changelog speaks of.
alter table files add column provenance_url text;

create table provenances (
    filename text collate "C" constraint provenances_pkey primary key
                              constraint provenance_file_fkey references files (filename) on delete cascade,
    -- The provenance object, as it is served.
    document text not null
);

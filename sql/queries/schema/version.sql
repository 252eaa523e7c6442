-- The newest migration applied; no row or no table before the first.
select max(version) as version from refinery_schema_history

-- Who this index is.
select index_id, files_url from index_identity

-- The first serve fixes where file links point; from then on it is part of every page's bytes.
update index_identity set files_url = $1 where files_url is null

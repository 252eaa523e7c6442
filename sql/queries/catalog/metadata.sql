-- What a release says of itself.
select metadata from releases where id = $1

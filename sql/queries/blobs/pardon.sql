-- An upload of these bytes is under way: they are not to be deleted. Waits for a deletion that is running,
-- so that the upload writes the bytes after it.
delete from condemned_blobs where blake2b_256 = $1

-- Deleted, or named by a file after all: either way no longer condemned.
delete from condemned_blobs where blake2b_256 = $1 and name = $2

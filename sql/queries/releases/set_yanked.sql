-- All files of the release show it: the mark is the release's, not theirs.
update releases set yanked = $2, yanked_reason = $3 where id = $1

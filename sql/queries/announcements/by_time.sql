-- The last serial that mirrors could see at $1. No row: none, or it is forgotten.
select serial from announcements where at <= $1 order by at desc, serial desc limit 1

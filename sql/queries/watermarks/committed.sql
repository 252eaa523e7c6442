-- The last serial given out and the last one announced.
select s.value as committed, w.purged, w.verified, w.announced from serials s, watermarks w

-- One migration at a time, whoever starts it; the key is arbitrary but fixed.
select pg_advisory_lock(7303014119)

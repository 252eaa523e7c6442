-- Was there ever a page with this hash? Then it is gone, not unknown.
select exists (select 1 from changelog where html_sha256 = $1 or json_sha256 = $1) as known

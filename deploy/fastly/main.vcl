# Lockstep behind Fastly: the main VCL of a service with shielding, the same for every POP.
#
# A POP is an *edge* to its clients and may be the *shield* of others. What must happen once on the
# way is done at the edge, where fastly.ff.visits_this_service is 0.
#
# What the rules are for:
#   - a purge of `project-<name>` removes every variant of every page with this key, for good;
#   - an expired page is shown only when the origin fails, never while it is being revalidated;
#   - nothing is stored that a purge could not remove again, unless the origin gives it a life itself.
#
# Each subroutine has its macro, which is where Fastly puts what the service's settings say: backends,
# the shield, its health checks.

sub vcl_recv {
  # A PURGE of a URL needs a token with the right to purge. Without this line anybody may purge.
  set req.http.Fastly-Purge-Requires-Auth = "1";

#FASTLY recv

  # The shield guard. An expired copy that a shield shows while it revalidates would be taken for
  # fresh by the edge, and a second purge would not mend that. The origin never asks for it; nobody
  # else shall, either.
  if (fastly.ff.visits_this_service > 0) {
    set req.max_stale_while_revalidate = 0s;
  }

  # Uploads, XML-RPC, CORS preflights: the origin's business. FASTLYPURGE, which is what a PURGE is
  # called here, must come to the lookup: passed on, it would be answered and purge nothing.
  if (req.method != "GET" && req.method != "HEAD" && req.method != "FASTLYPURGE") {
    return(pass);
  }
  # An answer to somebody with credentials is for nobody else.
  if (req.http.Authorization && req.method != "FASTLYPURGE") {
    return(pass);
  }
  # Figures for operators are read from the origin itself.
  if (req.url.path ~ "^/metrics(/|$)") {
    error 604 "Not Found";
  }
  # Operators, health, and everything of the changelog that moves or waits: collapsing requests would
  # make one reader wait for another's long poll. Full segments never change and are cached.
  if (req.url.path ~ "^/(api|healthz|readyz)(/|$)" || req.url.path ~ "^/changelog/(?!segments/)") {
    return(pass);
  }
  # No page of the index looks at cookies. Elsewhere they may mean a person.
  if (req.url.path ~ "^/(simple|pypi|packages|pages|changelog|snapshot|rss|serversig|project)(/|$)") {
    unset req.http.Cookie;
  } elseif (req.http.Cookie) {
    return(pass);
  }

  call min_serial;

  # The second time round, because vcl_hit found a copy that is too old for this reader: it is fetched
  # anew, and the new one takes its place for everybody. A restart would leave the POP's cluster, and
  # mend a copy that nobody else reads, but for this header.
  if (req.restarts > 0 && req.http.X-Min-Serial) {
    set req.hash_always_miss = true;
    set req.http.Fastly-Force-Shield = "1";
    return(lookup);
  }

  # Once on the way: the shield gets what the edge made of them.
  if (fastly.ff.visits_this_service == 0) {
    # Accept: three values on simple pages, or there would be one variant per client version. The
    # other pages have one media type, whatever the client would like.
    if (req.url.path ~ "^/simple(/|$)") {
      call fold_accept;
    } else {
      unset req.http.Accept;
    }
    call fold_encoding;
  }

  # Here a query changes nothing (?format= is in Accept by now): it would only be a way around the
  # cache, and a copy more for each one that somebody thinks of.
  if (req.url.path ~ "^/(simple|pypi|packages|pages|changelog/segments|snapshot|rss|serversig)(/|$)") {
    set req.url = req.url.path;
  }
  return(lookup);
}

# "At least serial N" means something only where answers carry a serial. Junk ends here, as it would at
# the origin, so that vcl_hit compares numbers. 18 digits are below what an INTEGER holds.
sub min_serial {
  if (req.url.path !~ "^/(simple|pypi)/" || req.method == "FASTLYPURGE") {
    unset req.http.X-Min-Serial;
  }
  if (req.http.X-Min-Serial && req.http.X-Min-Serial !~ "^[0-9]{1,18}$") {
    error 640 "Bad Request";
  }
}

# The origin's negotiation (read/negotiate.rs), done here so that a variant is shared by all who would
# get it: the offer with the highest q wins, ties go to text/html, then v1+html, then v1+json; nothing
# matched is text/html. An offer's q is that of its most specific range. Not accept.media_lookup():
# it has its own idea of ties, and probes and mirrors must see what installers see.
# Beyond a regular expression: of a range given twice, the first q counts; a quoted parameter with a
# comma in it is cut there. No index client sends either.
sub fold_accept {
  declare local var.format STRING;
  declare local var.accept STRING;
  declare local var.html FLOAT;
  declare local var.v1-html FLOAT;
  declare local var.v1-json FLOAT;

  # ?format= is the choice of people whose tool can't set headers. Others are ignored.
  set var.format = urldecode(querystring.get(req.url, "format"));
  if (var.format ~ "^application/vnd\.pypi\.simple\.(v1|latest)[+ ]json$") {
    set req.http.Accept = "application/vnd.pypi.simple.v1+json";
    return;
  }
  if (var.format ~ "^application/vnd\.pypi\.simple\.(v1|latest)[+ ]html$") {
    set req.http.Accept = "application/vnd.pypi.simple.v1+html";
    return;
  }
  if (var.format == "text/html") {
    set req.http.Accept = "text/html";
    return;
  }

  # To "range;q=n,range;q=n": one line, lower case, no blanks, no other parameters, each with its q.
  std.collect(req.http.Accept);
  set var.accept = std.tolower(req.http.Accept);
  set var.accept = regsuball(var.accept, "[ \t]+", "");
  set var.accept = regsuball(var.accept, ";(?!q=)[^,;]*", "");
  set var.accept = regsuball(var.accept, "(^|,)([^,;]+)(?=,|$)", "\1\2;q=1");

  # From "anything" to the exact range: the last one that is there counts.
  set var.html = 0.0;
  if (var.accept ~ "(?:^|,)\*/\*;q=([0-9.]+)") {
    set var.html = std.atof(re.group.1);
  }
  set var.v1-html = var.html;
  if (var.accept ~ "(?:^|,)text/\*;q=([0-9.]+)") {
    set var.html = std.atof(re.group.1);
  }
  if (var.accept ~ "(?:^|,)text/html;q=([0-9.]+)") {
    set var.html = std.atof(re.group.1);
  }
  if (var.accept ~ "(?:^|,)application/\*;q=([0-9.]+)") {
    set var.v1-html = std.atof(re.group.1);
  }
  set var.v1-json = var.v1-html;
  if (var.accept ~ "(?:^|,)application/vnd\.pypi\.simple\.v1\+html;q=([0-9.]+)") {
    set var.v1-html = std.atof(re.group.1);
  }
  if (var.accept ~ "(?:^|,)application/vnd\.pypi\.simple\.v1\+json;q=([0-9.]+)") {
    set var.v1-json = std.atof(re.group.1);
  }

  if (var.html >= var.v1-html && var.html >= var.v1-json) {
    set req.http.Accept = "text/html";
  } elseif (var.v1-html >= var.v1-json) {
    set req.http.Accept = "application/vnd.pypi.simple.v1+html";
  } else {
    set req.http.Accept = "application/vnd.pypi.simple.v1+json";
  }
}

# gzip or nothing: the origin has zstd too, but all who read zstd read gzip, and a variant less is a
# copy less to fill, to purge and to look at after the purge. Files are never coded, so that there they
# are one object.
sub fold_encoding {
  if (req.url.path !~ "^/packages/" &&
      req.http.Accept-Encoding ~ "(?i)(^|,)[ \t]*(x-)?gzip[ \t]*(;|,|$)" &&
      req.http.Accept-Encoding !~ "(?i)gzip[ \t]*;[ \t]*q=0(\.0*)?[ \t]*(,|$)") {
    set req.http.Accept-Encoding = "gzip";
  } else {
    unset req.http.Accept-Encoding;
  }
}

# Not the host: probes, mirrors and clients may call this service by different names and must all see
# the same copy, or what was verified is not what is served. Nor X-Min-Serial: see vcl_hit.
sub vcl_hash {
  set req.hash += req.url;
#FASTLY hash
  return(hash);
}

# An older copy than X-Min-Serial asks for is no hit, and is dropped as far as Fastly can drop one: the
# request starts again as a forced miss, which is collapsed like any miss, goes to the shield and by the
# same rule to the origin, and what it brings takes the old copy's place for everybody. A copy without a
# serial (a 404) counts as older.
#
# What does not come takes nothing's place: the origin's 503 for a number that was not given out yet is
# stored nowhere, and costs it one query; in an outage the copy stays, it is all that others have. A slow
# older answer can't bury a newer copy for long: what took more than a second is not kept, and what took
# less lands before the newer one's second purge.
# Why not the serial in the cache key: the first reader of each change would be a miss although the
# purged and refilled copy is right, and the old copy would stay.
sub vcl_hit {
  declare local var.serial STRING;
#FASTLY hit
  if (!obj.cacheable) {
    return(pass);
  }
  if (req.http.X-Min-Serial) {
    set var.serial = obj.http.X-PyPI-Last-Serial;
    if (var.serial !~ "^[0-9]{1,18}$" || std.atoi(var.serial) < std.atoi(req.http.X-Min-Serial)) {
      # Once: a copy that came in between and is still too old is asked past.
      if (req.restarts > 0) {
        return(pass);
      }
      restart;
    }
  }
  return(deliver);
}

sub vcl_miss {
#FASTLY miss
  if (req.url.path ~ "^/(simple|pypi)/") {
    set bereq.first_byte_timeout = 5s;
    set bereq.between_bytes_timeout = 1s;
  }
  return(fetch);
}

sub vcl_pass {
#FASTLY pass
  if (req.url.path ~ "^/changelog/") {
    # Readers may wait up to 60 s for a row, and a stream says something each 15 s.
    set bereq.first_byte_timeout = 75s;
    set bereq.between_bytes_timeout = 45s;
  } elseif (req.method == "GET" && req.url.path ~ "^/(simple|pypi)/") {
    set bereq.first_byte_timeout = 5s;
  }
  return(pass);
}

sub vcl_fetch {
#FASTLY fetch

  # An expired copy is for outages alone.
  set beresp.stale_while_revalidate = 0s;

  # Errors are never stored. Whoever asked without X-Min-Serial is shown the expired copy, if there is
  # one within its stale-if-error: a purge has left none behind that it should have removed.
  if (beresp.status >= 500 && beresp.status < 600) {
    if (stale.exists && !req.http.X-Min-Serial) {
      return(deliver_stale);
    }
    set beresp.cacheable = false;
    return(deliver);
  }

  # A page that was long on its way may be one that a commit has replaced meanwhile, and the second
  # purge comes 2 s after the first: what took longer than 1 s is delivered and not kept. Counted from
  # the reader's request on, which is not shorter.
  if (req.url.path ~ "^/(simple|pypi)/" && time.elapsed > 1s) {
    set beresp.cacheable = false;
    return(deliver);
  }

  # An outage copy of a shield is passed on, and not stored as if it were fresh.
  if (beresp.http.Lockstep-Stale) {
    set beresp.cacheable = false;
    return(deliver);
  }

  # "Not there" may become wrong at any upload: without a key no purge could say so. The origin gives
  # the 404 of a possible project its key and a minute. Other refusals are not stored at all.
  if (beresp.status >= 400 &&
      !(beresp.http.Surrogate-Key && (beresp.status == 404 || beresp.status == 410))) {
    set beresp.cacheable = false;
    return(deliver);
  }

  # For one reader only.
  if (beresp.http.Set-Cookie || beresp.http.Vary ~ "\*") {
    set beresp.cacheable = false;
    return(deliver);
  }

  # Fastly takes the life from Surrogate-Control, else from Cache-Control, less the Age that a copy has
  # from the shield, but it does not read these words, and without a word it would assume two minutes.
  if (beresp.http.Surrogate-Control) {
    if (beresp.http.Surrogate-Control ~ "(?i)no-store|no-cache|private") {
      set beresp.cacheable = false;
    }
  } elseif (!beresp.http.Cache-Control || beresp.http.Cache-Control ~ "(?i)no-store|no-cache|private") {
    set beresp.cacheable = false;
  }

  # Large files go through while they arrive.
  if (req.url.path ~ "^/packages/") {
    set beresp.do_stream = true;
  }
  return(deliver);
}

sub vcl_deliver {
#FASTLY deliver

  # For the edge behind this shield, and for nobody else. Fastly itself hides Surrogate-Key and
  # Surrogate-Control from clients. Age stays: it dates the copy.
  unset resp.http.Lockstep-Stale;
  if (fastly.ff.visits_this_service > 0 && fastly_info.state ~ "STALE") {
    set resp.http.Lockstep-Stale = "1";
  }
  return(deliver);
}

# No connection, no answer in time, or an answer that is made here.
sub vcl_error {
#FASTLY error
  if (obj.status == 604) {
    set obj.status = 404;
    set obj.response = "Not Found";
    synthetic "404 Not Found";
  } elseif (obj.status == 640) {
    set obj.status = 400;
    set obj.response = "Bad Request";
    synthetic "400 X-Min-Serial is not a serial: expected a whole number";
  } elseif (obj.status >= 500 && obj.status < 600) {
    if (stale.exists && !req.http.X-Min-Serial) {
      return(deliver_stale);
    }
    set obj.status = 503;
    set obj.http.Retry-After = "1";
    synthetic "503 The index can't be reached at the moment. Try again.";
  }
  set obj.http.Content-Type = "text/plain; charset=utf-8";
  set obj.http.Cache-Control = "no-store";
  set obj.http.Access-Control-Allow-Origin = "*";
  return(deliver);
}

sub vcl_log {
#FASTLY log
}

vcl 4.1;

# A point of presence for a Lockstep index: Varnish 7.1 with vmod xkey (package varnish-modules).
#
# START IT WITH `-p http_gzip_support=off`. Otherwise Varnish keeps one gzipped object and inflates
# it for others, which weakens the ETag and hides the origin's own identity variant. With it off,
# bytes and ETag of every variant are the origin's, and Vary tells the variants apart.
#
# What holds here, and is tested:
#   - a purge by key removes every variant of every page with this key: HTML and JSON, gzip and not;
#   - an expired page is shown only when the backend is sick or fails, never while it revalidates;
#   - nothing is stored that a purge could not remove again, unless the origin says it is immutable.

import std;
import xkey;
import purge;

include "./backend.vcl";

sub vcl_recv {
    if (req.restarts > 0) {
        # Judged and folded the first time round; only a lookup is ever restarted.
        call choose_grace;
        return (hash);
    }

    # Names we use between our own subroutines: nobody may bring them along.
    unset req.http.Pop-Lookup;
    unset req.http.Pop-Stale;
    unset req.http.Pop-Purged;
    unset req.http.Pop-Dropped;
    if (req.http.Lockstep-Tier && client.ip !~ tiers) {
        unset req.http.Lockstep-Tier;
    }

    # The probe of an edge behind us: are *we* there? What we hold is worth asking for, origin or not.
    if (req.http.Lockstep-Tier == "probe") {
        return (synth(200, "OK"));
    }

    if (req.method == "PURGE") {
        call purge_keys;
    }
    # Uploads, XML-RPC, CORS preflights: the origin's business.
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # An answer to somebody with credentials is for nobody else.
    if (req.http.Authorization) {
        return (pass);
    }
    # Figures for operators are read from the origin itself.
    if (req.url ~ "^/metrics(/|\?|$)") {
        return (synth(404, "Not Found"));
    }
    # Operators, health, and everything of the changelog that moves or waits. Sharing a fetch here
    # would make one reader wait for another's long poll. Full segments never change: cached.
    if (req.url ~ "^/(api|healthz|readyz)(/|\?|$)" ||
        req.url ~ "^/changelog/(?!segments/)") {
        return (pass);
    }
    # No page of the index looks at cookies. Elsewhere (a dashboard) they may mean a person.
    if (req.url ~ "^/(simple|pypi|packages|pages|changelog|snapshot|rss|serversig|project)(/|\?|$)") {
        unset req.http.Cookie;
    } elseif (req.http.Cookie) {
        return (pass);
    }

    # A minimum serial means something only where answers carry a serial. Junk is told so here, not
    # taken for zero.
    if (req.url !~ "^/(simple|pypi)/") {
        unset req.http.X-Min-Serial;
    }
    if (req.http.X-Min-Serial && req.http.X-Min-Serial !~ "^[0-9]{1,18}$") {
        return (synth(400, "X-Min-Serial is not a serial"));
    }

    # Accept: three values on simple pages, or there would be one variant per client version. The
    # other pages have one media type, whatever the client would like.
    if (req.url ~ "^/simple(/|\?|$)") {
        call fold_accept;
    } else {
        unset req.http.Accept;
    }
    call fold_encoding;

    # Here a query changes nothing (?format= is in Accept by now): it would only be a way around
    # the cache, and a copy more for each one that somebody thinks of.
    if (req.url ~ "^/(simple|pypi|packages|pages|changelog/segments|snapshot|rss|serversig)(/|\?|$)") {
        set req.url = regsub(req.url, "\?.*$", "");
    }

    set req.http.Pop-Lookup = "1";
    call choose_grace;
    return (hash);
}

# One purge may name several keys, separated by spaces. 200 also when nothing carried them.
sub purge_keys {
    if (client.ip !~ purgers) {
        return (synth(403, "Forbidden"));
    }
    if (!req.http.xkey-purge) {
        # Not by URL: that would leave the other pages of the same project stale.
        return (synth(400, "xkey-purge header missing"));
    }
    std.collect(req.http.xkey-purge, " ");
    # Hard: a soft purge would keep a copy that stale-if-error could still show.
    set req.http.Pop-Purged = xkey.purge(req.http.xkey-purge);
    return (synth(200, "Purged"));
}

# The origin's negotiation, done here so that a variant is shared by all who would get it: the offer
# with the highest q wins, ties go to text/html, then v1+html, then v1+json; nothing matched is
# text/html. An offer's q is that of its most specific range.
# Beyond a regular expression: of a range given twice, one q counts; a quoted parameter with a comma
# in it is cut there. No index client sends either.
sub fold_accept {
    # ?format= is the choice of people whose tool can't set headers. Others are ignored.
    if (req.url ~ "[?&]format=application(/|%2[Ff])vnd\.pypi\.simple\.(v1|latest)(\+|%2[Bb]|%20)json(&|$)") {
        set req.http.Accept = "application/vnd.pypi.simple.v1+json";
        return;
    }
    if (req.url ~ "[?&]format=application(/|%2[Ff])vnd\.pypi\.simple\.(v1|latest)(\+|%2[Bb]|%20)html(&|$)") {
        set req.http.Accept = "application/vnd.pypi.simple.v1+html";
        return;
    }
    if (req.url ~ "[?&]format=text(/|%2[Ff])html(&|$)") {
        set req.http.Accept = "text/html";
        return;
    }

    # To "range;q=n,range;q=n": one line, lower case, no blanks, no other parameters, each with its q.
    std.collect(req.http.Accept);
    set req.http.Accept = std.tolower(req.http.Accept);
    set req.http.Accept = regsuball(req.http.Accept, "[ \t]+", "");
    set req.http.Accept = regsuball(req.http.Accept, ";(?!q=)[^,;]*", "");
    set req.http.Accept = regsuball(req.http.Accept, "(^|,)([^,;]+)(?=,|$)", "\1\2;q=1");

    # Alternatives are tried in order: the exact range, its type, anything. No match leaves the whole
    # header, which is no number and counts as 0.
    set req.http.Pop-Html = regsub(req.http.Accept,
        "^(?:.*,)?text/html;q=([0-9.]+).*$|^(?:.*,)?text/\*;q=([0-9.]+).*$|^(?:.*,)?\*/\*;q=([0-9.]+).*$",
        "\1\2\3");
    set req.http.Pop-V1-Html = regsub(req.http.Accept,
        "^(?:.*,)?application/vnd\.pypi\.simple\.v1\+html;q=([0-9.]+).*$|^(?:.*,)?application/\*;q=([0-9.]+).*$|^(?:.*,)?\*/\*;q=([0-9.]+).*$",
        "\1\2\3");
    set req.http.Pop-V1-Json = regsub(req.http.Accept,
        "^(?:.*,)?application/vnd\.pypi\.simple\.v1\+json;q=([0-9.]+).*$|^(?:.*,)?application/\*;q=([0-9.]+).*$|^(?:.*,)?\*/\*;q=([0-9.]+).*$",
        "\1\2\3");

    if (std.real(req.http.Pop-Html, 0.0) >= std.real(req.http.Pop-V1-Html, 0.0) &&
        std.real(req.http.Pop-Html, 0.0) >= std.real(req.http.Pop-V1-Json, 0.0)) {
        set req.http.Accept = "text/html";
    } elseif (std.real(req.http.Pop-V1-Html, 0.0) >= std.real(req.http.Pop-V1-Json, 0.0)) {
        set req.http.Accept = "application/vnd.pypi.simple.v1+html";
    } else {
        set req.http.Accept = "application/vnd.pypi.simple.v1+json";
    }
    unset req.http.Pop-Html;
    unset req.http.Pop-V1-Html;
    unset req.http.Pop-V1-Json;
}

# gzip or nothing. Whoever takes gzip at all gets gzip: the origin has zstd too, but all who read zstd
# read gzip, and a variant less is a copy less to fill, to purge and to look at after the purge. Files
# are never coded, so that there they are one object.
sub fold_encoding {
    std.collect(req.http.Accept-Encoding);
    if (req.url !~ "^/packages/" &&
        req.http.Accept-Encoding ~ "(?i)(^|,)[ \t]*(x-)?gzip[ \t]*(;|,|$)" &&
        req.http.Accept-Encoding !~ "(?i)gzip[ \t]*;[ \t]*q=0(\.0*)?[ \t]*(,|$)") {
        set req.http.Accept-Encoding = "gzip";
    } else {
        unset req.http.Accept-Encoding;
    }
}

# Expired copies are for outages: a backend that the probe finds sick, or that has just failed this
# very request. Never for the time of a revalidation: the reader after a change must see it.
sub choose_grace {
    if (req.http.Pop-Stale || !std.healthy(req.backend_hint)) {
        set req.grace = 365d;
    } else {
        set req.grace = 0s;
    }
}

# Not the host: probes, mirrors and clients call this cache by different names and must all see the
# same copy, or what was verified is not what is served.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_hit {
    # "At least serial N": an older copy is as good as none, and is dropped for everybody. One that
    # carries no serial (a 404) counts as older.
    if (req.http.X-Min-Serial &&
        std.integer(obj.http.X-PyPI-Last-Serial, 0) < std.integer(req.http.X-Min-Serial, 0)) {
        # During an outage the copy stays: it is all that others have.
        if (req.http.Pop-Stale || !std.healthy(req.backend_hint)) {
            return (synth(503, "Not there yet"));
        }
        set req.http.Pop-Dropped = purge.hard();
        return (restart);
    }
}

sub vcl_backend_fetch {
    # Showing an expired copy starts a fetch in the background. After an error we have just asked.
    if (bereq.is_bgfetch && bereq.http.Pop-Stale) {
        return (abandon);
    }

    # Asks a shield for keys and lifetimes; the origin gives them anyway.
    set bereq.http.Lockstep-Tier = "edge";
    unset bereq.http.Pop-Lookup;
    unset bereq.http.Pop-Dropped;
    # vcl_backend_response judges by it how old an answer may be.
    set bereq.http.Pop-Asked = std.real(time=now);

    if (bereq.url ~ "^/(simple|pypi)/" && (bereq.method == "GET" || bereq.method == "HEAD")) {
        set bereq.first_byte_timeout = 5s;
    } elseif (bereq.url ~ "^/changelog/") {
        # Readers may wait up to 60 s for a row.
        set bereq.first_byte_timeout = 75s;
    }
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }

    call fall_back;

    # A page that was long on its way may be one that a commit has replaced meanwhile, and the second
    # purge comes 2 s after the first: what took longer than 1 s is delivered and not kept. From its
    # first byte on a copy can be purged, so the body may take its time. Readers of this URL do not
    # queue for a while: each would only get an answer that can't be shared.
    if (bereq.url ~ "^/(simple|pypi)/" && now > std.time(real=std.real(bereq.http.Pop-Asked)) + 1s) {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }

    # Errors are never stored: the next reader asks again. So are not other refusals.
    if (beresp.status >= 400 && beresp.status != 404 && beresp.status != 410) {
        call forget;
        return (deliver);
    }

    # Several header lines are one list.
    std.collect(beresp.http.Surrogate-Key, " ");
    std.collect(beresp.http.Surrogate-Control);
    std.collect(beresp.http.Cache-Control);

    # What xkey.purge() looks for. Ours alone: a foreign xkey header says nothing about our purges.
    unset beresp.http.xkey;
    if (beresp.http.Surrogate-Key) {
        set beresp.http.xkey = beresp.http.Surrogate-Key;
    }

    # Grace is what the origin allows for outages (stale-if-error), and nothing else. An expired copy
    # with a validator is kept a little longer: a 304 is cheaper than a page.
    set beresp.grace = 0s;
    set beresp.keep = 1h;

    if (beresp.http.Surrogate-Control ~ "(?i)max-age" &&
        beresp.http.Surrogate-Control !~ "(?i)no-store") {
        # For us. The time that the copy has spent in a shield counts: otherwise the tiers would add
        # up, and a copy that a shield shows in an outage would be fresh again here.
        set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control,
            "(?i)^(?:.*[,; \t])?max-age=([0-9]+).*$", "\1s"), 0s) - beresp.age;
        if (beresp.http.Surrogate-Control ~ "(?i)stale-if-error=[0-9]") {
            set beresp.grace = std.duration(regsub(beresp.http.Surrogate-Control,
                "(?i)^(?:.*[,; \t])?stale-if-error=([0-9]+).*$", "\1s"), 0s);
        }
    } elseif (beresp.http.Surrogate-Control ||
        (!beresp.http.Cache-Control && beresp.status != 404) ||
        beresp.http.Cache-Control ~ "(?i)no-store|no-cache|private") {
        # Not for caches, or nobody said so. Remembered for a while, so that readers of this URL do
        # not queue for an answer that can't be shared.
        set beresp.uncacheable = true;
        set beresp.ttl = 120s;
        return (deliver);
    } elseif (beresp.status == 404) {
        set beresp.ttl = 60s - beresp.age;
    }
    # Else: max-age or s-maxage of Cache-Control, as Varnish has read it.

    # "Not there" may become wrong at any upload. Without a key no purge could say so.
    if ((beresp.status == 404 || beresp.status == 410) && !beresp.http.Surrogate-Key) {
        call forget;
        return (deliver);
    }
    # For one reader only, or too old to be shown again (an outage copy of a shield).
    if (beresp.http.Set-Cookie || beresp.http.Vary ~ "\*" || beresp.ttl <= 0s) {
        call forget;
    }
    return (deliver);
}

# stale-if-error, first half. A condition on this fetch says that we hold an expired copy. Abandoned,
# it leaves nothing behind in the cache, and vcl_synth tries again with expired copies allowed. An
# error that was delivered instead would itself be what the second lookup finds.
sub fall_back {
    if (beresp.status >= 500) {
        # Nobody waits for a fetch in the background: the copy stays as it is.
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        # Pop-Stale: the copy was too old for that, too. This time the error is the answer.
        if (bereq.http.If-None-Match && !bereq.http.Pop-Stale) {
            return (abandon);
        }
    }
}

# Delivers, and stores nothing.
sub forget {
    set beresp.uncacheable = true;
    set beresp.ttl = 0s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
}

# No connection, or no answer in time.
sub vcl_backend_error {
    set beresp.status = 503;
    if (!bereq.uncacheable) {
        call fall_back;
    }
    call forget;
    set beresp.http.Retry-After = "1";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.body = "503 The index can't be reached at the moment. Try again.";
    return (deliver);
}

sub vcl_deliver {
    # Ours. Another tier of ours needs the keys for its own purges, and the lifetime for its own copy.
    unset resp.http.xkey;
    if (req.http.Lockstep-Tier != "edge") {
        unset resp.http.Surrogate-Key;
        unset resp.http.Surrogate-Control;
    }

    # For whoever asks "where did this come from". Age stays too: it dates the copy.
    if (obj.uncacheable) {
        set resp.http.X-Cache = "PASS";
    } elseif (obj.hits == 0) {
        set resp.http.X-Cache = "MISS";
    } elseif (obj.ttl <= 0s) {
        set resp.http.X-Cache = "STALE";
    } else {
        set resp.http.X-Cache = "HIT";
    }
    return (deliver);
}

# Answers that are made here.
sub vcl_synth {
    # stale-if-error, second half: the fetch was abandoned, look again for any copy. Once.
    if (resp.status == 503 && req.http.Pop-Lookup && !req.http.Pop-Stale) {
        set req.http.Pop-Stale = "1";
        return (restart);
    }
    set resp.http.Cache-Control = "no-store";
    set resp.http.Access-Control-Allow-Origin = "*";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    if (req.http.Pop-Purged) {
        set resp.http.X-Purged = req.http.Pop-Purged;
    }
    if (resp.status == 503) {
        set resp.http.Retry-After = "1";
    }
    set resp.body = "" + resp.status + " " + resp.reason;
    return (deliver);
}

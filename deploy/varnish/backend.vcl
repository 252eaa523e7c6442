# What differs from site to site: where this cache fetches, and whom it trusts. A sample; put your
# own beside lockstep.vcl, which is the same everywhere and includes this file.

# The origin (`lockstep serve`), or the shield if this cache is an edge behind one.
backend default {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 1s;
    .between_bytes_timeout = 60s;
    # For uploads, which are answered once they are durable; lockstep.vcl is stricter on pages.
    .first_byte_timeout = 60s;
    .probe = {
        # The origin does not know this header. A shield answers the question itself, so that an
        # edge goes on asking a shield whose origin is down: it may hold what the edge does not.
        .request =
            "GET /healthz HTTP/1.1"
            "Host: lockstep"
            "Lockstep-Tier: probe"
            "Connection: close";
        .interval = 2s;
        .timeout = 1s;
        .window = 4;
        .threshold = 2;
        # Taken for healthy until proven sick: otherwise the first requests after a start fail.
        .initial = 2;
    }
}

# Who may purge: the machines that run `lockstep serve`. Add theirs.
acl purgers {
    "localhost";
    "127.0.0.1";
    "::1";
}

# Who may be a tier of ours, and is shown keys and edge lifetimes: on a shield, the edges. Add theirs.
acl tiers {
    "localhost";
    "127.0.0.1";
    "::1";
}

"""Asks an index as mirrors do, by Python's own xmlrpc.client; prints what came back as JSON.

Run by tests/it/read/xmlrpc.rs with the URL of the index.
"""

import json
import sys
import xmlrpc.client

proxy = xmlrpc.client.ServerProxy(sys.argv[1] + "/pypi", allow_none=True)


def fault(method, *arguments):
    """The fault's code and text, or what came instead of one."""
    try:
        return repr(getattr(proxy, method)(*arguments))
    except xmlrpc.client.Fault as error:
        return [error.faultCode, error.faultString]


def typed(value):
    """The value with the names of its Python types, which JSON would lose."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    return [type(value).__name__, value]


json.dump(
    {
        "last": typed(proxy.changelog_last_serial()),
        "since": typed(proxy.changelog_since_serial(0)),
        "since_two": proxy.changelog_since_serial(2),
        "since_end": proxy.changelog_since_serial(4),
        "list": proxy.list_packages_with_serial(),
        "hashes": proxy.changelog_since_serial_with_hashes(3),
        "by_RPC2": xmlrpc.client.ServerProxy(sys.argv[1] + "/RPC2").changelog_last_serial(),
        "by_slash": xmlrpc.client.ServerProxy(sys.argv[1] + "/pypi/").changelog_last_serial(),
        "faults": {
            "unknown": fault("no_such_method"),
            "missing": fault("changelog_since_serial"),
            "text": fault("changelog_since_serial", "three"),
            "negative": fault("changelog_since_serial", -1),
            "more": fault("changelog_since_serial", 1, 2),
            "none": fault("changelog_last_serial", 1),
            "nil": fault("changelog_since_serial", None),
        },
    },
    sys.stdout,
)

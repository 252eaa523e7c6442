"""Asks an index as mirrors do, by Python's own xmlrpc.client; prints what came back as JSON.

    xmlrpc_client.py URL < calls

`calls` is a list of [path, method, arguments]. An answer is ["value", it] or ["fault", code, text].
Integers, texts, booleans and None are told apart in JSON; a dateTime is shown as {"dateTime": text}.
"""

import json
import sys
import xmlrpc.client


def shown(value):
    if isinstance(value, xmlrpc.client.DateTime):
        return {"dateTime": value.value}
    raise TypeError(f"{value!r} is nothing that the index may say")


def answer(path, method, arguments):
    proxy = xmlrpc.client.ServerProxy(sys.argv[1] + path, allow_none=True)
    try:
        if method == "MultiCall":
            # The library's own way to send and to unpack them; the first fault ends it.
            calls = xmlrpc.client.MultiCall(proxy)
            for name, *rest in arguments:
                getattr(calls, name)(*rest)
            return ["value", list(calls())]
        return ["value", getattr(proxy, method)(*arguments)]
    except xmlrpc.client.Fault as error:
        return ["fault", error.faultCode, error.faultString]


json.dump([answer(*call) for call in json.load(sys.stdin)], sys.stdout, default=shown)

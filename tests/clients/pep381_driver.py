"""Runs pep381client (Python 2.7) against another index than the one it was written for.

    pep381_driver.py HOST:PORT FOLDER

The client has its index as constants of its module and no setting for it. Nothing else is changed:
what runs is its own `pep381run`. The environment is the folder above this Python's `bin`.
"""

import os
import sys

index, folder = sys.argv[1:]
environment = os.path.dirname(os.path.dirname(sys.executable))
sys.path.insert(0, environment)

import pep381client  # noqa: E402

pep381client.pypi = index
pep381client.BASE = "http://" + index
pep381client.SIMPLE = pep381client.BASE + "/simple/"

script = os.path.join(environment, "bin", "pep381run")
sys.argv = [script, folder]
execfile(script)  # noqa: F821

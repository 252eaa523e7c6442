"""Writes the lists of lockstep-core that others keep: the known classifiers, and the names of
Python's standard library.

    python3 -m venv venv && venv/bin/pip install trove-classifiers==2026.9.21.13 stdlib-list==0.12.0
    venv/bin/python crates/lockstep-core/lists/make.py

Each list is sorted bytewise, because it is searched by halves. Raise the versions above to take
new ones in.
"""

import re
from pathlib import Path

from stdlib_list import short_versions, stdlib_list
from trove_classifiers import all_classifiers, deprecated_classifiers

HERE = Path(__file__).parent


def write(name, lines):
    text = "".join(f"{line}\n" for line in sorted(lines, key=str.encode))
    (HERE / name).write_text(text, encoding="utf-8")


def normalized(module):
    """A module's name as a project's, without the underscores of private modules."""
    return re.sub(r"[-_.]+", "-", module.strip("-_.")).lower()


write("classifiers.txt", set(all_classifiers) - set(deprecated_classifiers))
write(
    "classifiers-deprecated.txt",
    (f"{old} => {', '.join(new)}" for old, new in deprecated_classifiers.items()),
)
modules = {module for version in short_versions for module in stdlib_list(version)}
write("stdlib.txt", {normalized(module) for module in modules} - {""})

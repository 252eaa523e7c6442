"""Writes the test vectors of lockstep-core: what Python's `packaging` says of names, versions,
file names, specifier sets and metadata.

    python3 -m venv venv && venv/bin/pip install packaging==26.2
    venv/bin/python tests/vectors/make.py

The JSON is committed; crates/lockstep-core/tests/vectors.rs checks that Rust agrees. The same
`packaging` writes the same bytes, so a difference after a run is a difference in `packaging`.
"""

import itertools
import json
import pathlib
import random

from packaging.errors import ExceptionGroup
from packaging.metadata import Metadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    canonicalize_version,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from documents import DOCUMENTS

HERE = pathlib.Path(__file__).parent


def write(name, rows):
    """One row a line, so that a change is read in a diff."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows)
    (HERE / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="ascii", newline="\n")


def unique(rows):
    return list(dict.fromkeys(rows))


# --- names ---

NAMES = """
    requests Django zope.interface Zope.Interface zope--interface zope-_.interface oslo.concurrency
    a A 0 7zip a1 1a a.b a_b a-b A..B a.-_b.-_c Jaraco.Functools ruamel.yaml.clib Flask_SQLAlchemy
    -a a- .a a. _a a_ - . _ -- a/b a\\b a+b a!b a~b a:b a@b a,b a;b a(b) a[b] a'b a"b a<b a>b a&b
    a%20b a=b a*b a?b a#b a$b a^b a|b {a} .. ... a..b é aé éa aéb naïve ａ ñandu ı ſ K İ Ⅳ ٣ a٣ 中文
""".split() + ["", " ", "a b", " a", "a ", "a\n", "\na", "a\tb", "a\0b", "a\x7fb", "a\u200bb",
               "a\u00adb", "a\r", "a" * 100, "a" * 101, "A-" * 49 + "A", "a\u2010b", "a\u2014b"]


def names():
    for name in unique(NAMES):
        try:
            yield {"name": name, "normalized": canonicalize_name(name, validate=True)}
        except InvalidName:
            yield {"name": name, "normalized": None}


# --- versions ---

RELEASES = ["0", "1", "1.0", "1.0.0", "1.2.3", "01.02", "2024.1.15", "1.2.3.4.5.6", "1!1.0", "0!1", "2!0.0"]
SUFFIXES = """
    a a1 A1 alpha alpha1 Alpha-1 .a.1 -a-1 _a_1 .a1 -alpha.1 b b2 beta beta2 .BETA_2 c c1 rc rc1 RC.1 -rc1
    pre pre1 preview preview3 -Preview-3 a01 rc007 a1.post1 a1.dev1 a1.post2.dev3 rc1-1 b2-3
    -1 -0 -01 .post .post0 .post1 post1 -post1 _post_1 .post-1 .POST1 rev rev2 -rev-2 r r3 .r3 -r.3
    .dev .dev0 dev dev4 -dev4 _dev_4 .DEV.4 .dev01 .post1.dev2 post.dev -1.dev1 -1dev1
    +a +1 +001 +ubuntu1 +Ubuntu.1 +ubuntu-1 +ubuntu_01 +a.b.c +1.a +a.1.0 +abc.00def .dev1+g1234567
    a1+local rc1.post1.dev1+deep.1 +0 +00a +1.2.10 +1.2.9 a-.post1 a--1 a.dev
""".split()
ODD = """
    v1.0 V1.0 v1!2 1!2 1!1!2 vv1 .1 1. 1..0 1.0.x x1 1x 1.0- 1.0-- 1.0--1 1.0-1-1 1.0-a 1.0+ 1.0+a+b
    1.0+.a 1.0+a. 1.0+a..b 1.0+a_-b 1.0a1a1 1.0a1b1 1.0post1a1 1.0dev1post1 1.0.dev1.post1 1.0.post1.post2
    1.0.dev1.dev2 1.* 1.0.* * latest french-toast 1.0beta-final 1,0 1_0 1.0_1 1-0.1 -1 +1 !1 1! 1!a 1!.0
    0 00 000.00 0.0.0 1e5 0x1 1.0/2 1.0~rc1 1.0^1 =1.0 ==1.0 1.0;1 1.0#1 ١.٠ 1.٠ 1.0a١ 1.0.post٣ 1.0+é
    ②.0 1。0 1.0ɑ1 1.0poſt1 1.0+ſ 1.0+K 18446744073709551615 18446744073709551616 1.0+18446744073709551615
    1.0+18446744073709551616 1.0.post99999999999999999999 1!0.0.0.0.0.0 1.2.3.4.5.6.7.8.9.10.11 255.255.255.255
    256 1.256 65535.1 65536.1 1.65536.70000 1.2.3.256 1.2.3.4.256 1.0a255 1.0a256 1.0.post255 1.0.post256
    1.0.dev255 1.0.dev256 1.0rc64 1.0a64 1.0b63 1.0.dev16777216 20240115 20240115.123456789
    1.0c1.post 1.0preview 1.0pre-1 1.0r-1 1.0rc.post1 1.0rcpost1 1.0rdev 1.0adev 1.0a1dev 1.0a.b
    0.0.0a0.post0.dev0 0!0!0 1.0.posta 1.0.devb 1.0.rc 1.0.c-.r-.dev- 1.0a1- 1.0a1. 1.0a1_ 1.0.final 1.0final
    1.0-SNAPSHOT 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-rc.1+build.1 2.0.0+sha.5114f85 1.0.0-0.3.7 1.0-dev-1
    dev 1.0.post1+dev 1.0a+b 1.0b+a
""".split() + ["", " ", "\n", " 1.0", "1.0 ", " 1.0 ", "\t1.0\n", "1.0\r\n", "\v1.0\f", "1 .0", "1. 0",
               "1.0 a1", "1.0a 1", "v 1.0", "1.0 +a", "1.0\0", "\u20031.0\u2003", "\u00a01.0", "\u20281.0",
               "\x851.0", "\x1c1.0", "1.0\x1f", "\u200b1.0", "\ufeff1.0", "v\n1.0", "1.0\n1.0"]


def random_versions(count):
    """More of the accepted ones, near each other, for the order."""
    chance = random.Random(440)

    def number():
        return str(chance.choice([0, 1, 2, 9, 10, 255, 256]))

    for _ in range(count):
        text = chance.choice(["", "", "", "1!"]) + ".".join(number() for _ in range(chance.randint(1, 5)))
        text += chance.choice(["", "", "a", "b", "rc"])
        if text[-1] in "abc":
            text += number()
        text += chance.choice(["", "", ".post" + number()])
        text += chance.choice(["", "", ".dev" + number()])
        text += chance.choice(["", "", "", "+" + number(), "+abc", "+1.a", "+a.1", "+a.10", "+a.9", "+1.1"])
        yield text


def all_versions():
    made = (release + suffix for release, suffix in itertools.product(RELEASES, ["", *SUFFIXES]))
    return unique([*ODD, *made, *random_versions(250)])


def versions():
    for text in all_versions():
        try:
            version = Version(text)
        except InvalidVersion:
            yield {"text": text, "version": None}
        else:
            yield {
                "text": text,
                "version": str(version),
                "canonical": canonicalize_version(version),
                "prerelease": version.is_prerelease,
                "local": version.local is not None,
            }


def version_order():
    """Groups of displayed texts in PEP 440 order; those in one group are equal by PEP 440."""
    accepted = {}
    for text in all_versions():
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        accepted[str(version)] = version
    for _, group in itertools.groupby(sorted(accepted.values()), key=lambda version: version._key):
        yield sorted(map(str, group))


# --- specifier sets ---

SPECIFIERS = """
    >=3.6 >3 <4 <=3.12 ==3.9 ==3.* !=3.9.* ~=3.8 ~=3 ~=3.* ~=3.8.1 ===3.9 ===foo ===1.0,>=2 === ===foo;bar
    ===foo) ===* ==1.0.* ==1.0a1.* ==1.0.post1.* ==1.0+a ==1.0+a.* ==1.0.dev1.* >=1.0+a <1.0+a ~=1.0+a
    !=1.0+a >=3.* <3.* >3.8.* <=3.8.* ==* !=* >=* 3.9 =3.9 =>3.9 =<3.9 <>3.9 !3.9 ~3.9 ^3.9 >>3 >=v3.9 ==v1.0.*
    >=1!2.0 ==1!2.* ~=1!2.0 >=3.9, ,>=3.9 , ,, >=3.9,,<4 >=3.9;<4 >=3.9|<4 >=3.9||<4 >=3.9a1 >=3.9.dev0
    ==3.9-1 ~=3.9a1 ~=3.9.post1 ~=3.post1 ~=1.dev1 >=3.9.post ==3.9RC1 >=3.9.x >=x >= 3.9> >=٣.9 ==1.0.*.*
    ==.* ==1.*.0 ==1.*a >=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,<4 ===é ==1.0+é >=poſt >=1.0poſt1 ~=1.0poſt1
    >=18446744073709551616 ===18446744073709551616 >=python >=3.9! >=3!9 (>=3.9) [>=3.9] >=3.9) ===a(b
    >=3.6.* <4.0.0a0 ==01.02 ==1.0._* >=3.9+ ==3.9+ ==3.9+.a ==V1 !=V1.* ==1.0.*+a ==1.0-1.* ~=01.0
""".split() + ["", " ", " >=3.6 ", ">= 3.6", ">=3.6 , <4", ">=3.6 <4", "> = 3.6", ">=\t3.6", ">=3.6,\n<4", ">=3.6\n",
               "\u2003>=3.6", ">=\u20033.6", ">=3.6\x1c", ">=3.6\0", "=== a b", "===  a", "===a b", "~= 3.8",
               "== 3.*", "== 3. *", ">=3 .6", "==1.0 .*", "\x85>=3.6"]


def specifiers():
    for text in unique(SPECIFIERS):
        try:
            SpecifierSet(text)
        except InvalidSpecifier:
            yield {"text": text, "accepted": False}
        else:
            yield {"text": text, "accepted": True}


# --- requirements ---

REQUIREMENTS = """
    requests
    requests>=2.8.1
    requests >=2.8.1, == 2.8.*
    requests (>=2.8.1)
    requests(>=2.8.1
    requests >=2.8.1)
    requests ()
    requests (>=2.8.1) >=3
    requests[security]
    requests [security,tests] >= 2.8.1
    requests[ security , tests ]
    requests[]
    requests[ ]
    requests[,]
    requests[a,]
    requests[a b]
    requests[-a]
    requests[a
    requests]a[
    requests[a][b]
    requests>=2.8.1,
    requests>=2.8.1,,<3
    requests,>=2
    requests ,
    requests >=2 <3
    requests 2.0
    requests = 2.0
    requests ~= 2
    requests ==2.0+local
    requests >=2.0+local
    requests >=2.*
    requests ===anything
    requests @ https://example.invalid/requests-1.0.tar.gz
    requests@https://example.invalid/a;b
    requests@https://example.invalid/a ; python_version < "3"
    requests@https://example.invalid/a python_version < "3"
    requests @
    requests @ ; extra == "a"
    requests[a]@file:///dir/a
    requests; python_version < "3"
    requests;python_version<'3'
    requests ; python_version<"2.7" and (extra == 'a' or os_name=='nt')
    requests; (python_version<"3")
    requests; ((python_version<"3"))
    requests; ()
    requests; (python_version<"3"
    requests; python_version<"3")
    requests;
    requests; python_version
    requests; python_version <
    requests; "3"
    requests; < "3"
    requests; python_version < 3
    requests; python_version < "3" and
    requests; and python_version < "3"
    requests; python_version < "3" python_version > "2"
    requests; python_version < "3" xor python_version > "2"
    requests; not python_version < "3"
    requests; python_version in "2.7, 3.4"
    requests; python_version not in "2.7"
    requests; python_version notin "2.7"
    requests; python_version not "2.7"
    requests; "linux" in sys_platform
    requests; os.name == "nt" and sys.platform == "win32" and platform.machine == "x"
    requests; platform.python_implementation == "CPython" or python_implementation == "PyPy"
    requests; platform.release == "1"
    requests; implementation_version >= "3" and implementation_name == "cpython"
    requests; platform_release >= "3" and platform_system == "Linux" and platform_version == "1"
    requests; "a" in extras and "b" in dependency_groups
    requests; unknown == "1"
    requests; python_versions == "1"
    requests; Python_Version == "1"
    requests; python_version == "3' and extra == 'a"
    requests; python_version == "3
    requests; python_version == '3"'
    requests; python_version == "\\'" or extra == "a"
    requests; python_version === "3" or python_version ~= "3.1"
    requests; python_version == "3"and extra == "a"or extra == "b"
    requests; python_version == "3" andextra == "a"
    requests; python_version => "3"
    requests; python_version = "3"
    requests; "3" == "3"
    requests; python_version == python_full_version
    requests>=2;python_version<"3";extra=="a"
    -requests
    requests-
    .requests
    requests_
    requ/ests
    requ ests
    réquests
    requests.txt
    git+https://example.invalid/a
    https://example.invalid/a
    ./local
    -e requests
    requests # comment
    A.B_c-D>1
    a>=1.0.dev0,!=1.5.*,<2a0
    a<1!2
    a==1.0.post1;extra=='all'
    a>=18446744073709551616
""".strip().splitlines()


def requirements():
    for text in unique([line.strip() for line in REQUIREMENTS] + ["", " ", " requests ", "\trequests\t>=1\t", "a;\textra\t==\t'b'"]):
        try:
            Requirement(text)
        except InvalidRequirement:
            yield {"text": text, "accepted": False}
        else:
            yield {"text": text, "accepted": True}


# --- file names ---

WHEELS = """
    foo-1.0-py3-none-any foo-1.0-1-py3-none-any foo-1.0-1b-py3-none-any foo-1.0-b1-py3-none-any
    foo-1.0-01_x.y-py3-none-any foo-1.0--py3-none-any foo-1.0-1-2-py3-none-any foo-1.0-py3-none foo-py3-none-any
    foo_bar-1.0-py3-none-any foo.bar-1.0-py3-none-any Foo.Bar-1.0-py3-none-any foo-bar-1.0-py3-none-any
    foo__bar-1.0-py3-none-any _foo-1.0-py3-none-any foo_-1.0-py3-none-any -1.0-py3-none-any foo+bar-1.0-py3-none-any
    foo!-1.0-py3-none-any foo-v1.0-py3-none-any foo-1.0.0-py3-none-any foo-1.0a1-py3-none-any foo-1.0_1-py3-none-any
    foo-1.0+local-py3-none-any foo-1.0+local.1-py3-none-any foo-1.0+local_1-py3-none-any foo-1!1.0-py3-none-any
    foo-1.0.x-py3-none-any foo-x-py3-none-any foo--py3-none-any foo-1.0.post1.dev2-py3-none-any
    foo-1.0-py2.py3-none-any foo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64
    foo-1.0-cp312-abi3-macosx_11_0_arm64 foo-1.0-cp27-cp27mu-linux_x86_64 foo-1.0-pp310-pypy310_pp73-win_amd64
    foo-1.0-py3-none-any.x foo-1.0-py3.-none-any foo-1.0-.py3-none-any foo-1.0-py3-none- foo-1.0--none-any
    foo-1.0-py3--any foo-1.0-py3..py2-none-any foo-1.0-PY3-None-Any foo-1.0-py3+x-none-any foo-1.0-py!3-none-any
    foo-1.0-py3-none-any.whl é-1.0-py3-none-any 中-1.0-py3-none-any fo/o-1.0-py3-none-any ../foo-1.0-py3-none-any
    foo-1.0-٣-py3-none-any foo-1.0-py3-none-an/y foo-1.0-py3-none-any%20 0-0-0-0-0 foo-01.0-py3-none-any
    ruamel.yaml-0.18-cp39.cp310-abi3-win32
""".split()
WHEEL_ENDINGS = [".whl", ".WHL", ".whl.metadata", ".whl\n", ""]


def wheel_names():
    yield from (stem + ".whl" for stem in WHEELS)
    yield from ("foo-1.0-py3-none-any" + ending for ending in WHEEL_ENDINGS)
    yield from ("foo-1.0-py3-none-any .whl", " foo-1.0-py3-none-any.whl", "foo-1.0 -py3-none-any.whl", "foo\0-1.0-py3-none-any.whl")


def wheels():
    for filename in unique(wheel_names()):
        try:
            name, version, build, tags = parse_wheel_filename(filename)
        except (InvalidWheelFilename, ValueError):
            yield {"filename": filename, "name": None}
        else:
            interpreters = sorted({tag.interpreter for tag in tags})
            yield {"filename": filename, "name": name, "version": str(version), "python": interpreters}


SDISTS = """
    foo-1.0.tar.gz foo_bar-1.0.tar.gz foo-bar-1.0.tar.gz foo.bar-1.0.tar.gz Foo__Bar-1.0.tar.gz foo-1.0.0.tar.gz
    foo-v1.0.tar.gz foo-1.0a1.tar.gz foo-1.0-1.tar.gz foo-1.0_1.tar.gz foo-1.0.post1.tar.gz foo-1.0+local.1.tar.gz
    foo-1!1.0.tar.gz foo-1.0.zip foo-1.0.tar.bz2 foo-1.0.tgz foo-1.0.tar foo-1.0.exe foo-1.0-py2.7.egg foo-1.0.TAR.GZ
    foo1.0.tar.gz foo-.tar.gz -1.0.tar.gz foo-x.tar.gz foo.tar.gz .tar.gz foo-1.0.tar.gz.asc foo--1.0.tar.gz
    _foo-1.0.tar.gz foo_-1.0.tar.gz é-1.0.tar.gz fo/o-1.0.tar.gz ../foo-1.0.tar.gz fo\\o-1.0.tar.gz foo+-1.0.tar.gz
    zope.interface-5.0.0rc1.tar.gz a-b-c-1.tar.gz foo-1.0.dev1+g123.d20240101.tar.gz foo-1.0-beta.tar.gz
    foo-2-1.0.tar.gz foo-1.٠.tar.gz foo-latest.tar.gz Foo-1.0RC1.tar.gz
""".split() + ["foo -1.0.tar.gz", "foo- 1.0.tar.gz", "foo-1.0 .tar.gz", "foo-1.0.tar.gz\n", "foo-1.0\0.tar.gz", ""]


def sdists():
    for filename in unique(SDISTS):
        try:
            name, version = parse_sdist_filename(filename)
        except InvalidSdistFilename:
            yield {"filename": filename, "name": None}
        else:
            yield {"filename": filename, "name": name, "version": str(version)}


# --- metadata ---


def metadata():
    for label, document in DOCUMENTS.items():
        row = {"label": label, "document": document, "accepted": True}
        try:
            Metadata.from_email(document.encode())
        except ExceptionGroup:
            row["accepted"] = False
        # Fields as text, even where `packaging` refuses the document as a whole.
        fields, _ = parse_email(document.encode())
        if "version" in fields:
            fields["version"] = displayed(fields["version"])
        # `packaging` goes through the fields in no fixed order.
        row["fields"] = dict(sorted(fields.items()))
        yield row


def displayed(text):
    try:
        return str(Version(text))
    except InvalidVersion:
        return text


if __name__ == "__main__":
    write("names", names())
    write("versions", versions())
    write("version-order", version_order())
    write("specifiers", specifiers())
    write("requirements", requirements())
    write("wheels", wheels())
    write("sdists", sdists())
    write("metadata", metadata())

"""The metadata documents of make.py: of each version, as the tools of their time write them,
and the wrong ones."""

REQUIRED = "Metadata-Version: 2.4\nName: sample\nVersion: 1.0\n"

DOCUMENTS = {
    # --- as tools wrote them ---
    "1.0 by distutils": """\
Metadata-Version: 1.0
Name: Sample.Project
Version: 1.0-beta2
Summary: A sample
Home-page: https://sample.invalid/
Author: Ada Lovelace
Author-email: ada@sample.invalid
License: MIT
Description: Sample
        ======
        
        Indented::
        
            code
        
Keywords: one two,three
Platform: any
Platform: Linux
""",
    "1.1 by distutils": """\
Metadata-Version: 1.1
Name: sample
Version: 0.9
Summary: A sample
Download-URL: https://sample.invalid/sample-0.9.tar.gz
Author: José Müller
License: GPL
        with an exception
Classifier: Development Status :: 4 - Beta
Classifier: Programming Language :: Python :: 2.7
Requires: other (>=1.0)
Provides: sample
Obsoletes: older (<1.0)
Supported-Platform: RedHat 7.2
""",
    "1.1 with unknown values": """\
Metadata-Version: 1.1
Name: sample
Version: 0.9
Summary: UNKNOWN
Home-page: UNKNOWN
Author: UNKNOWN
License: UNKNOWN
Description: UNKNOWN
Platform: UNKNOWN
""",
    "1.2 by setuptools": """\
Metadata-Version: 1.2
Name: sample
Version: 1!2.0.post1
Maintainer: Grace Hopper
Maintainer-email: Grace Hopper <grace@sample.invalid>
Requires-Dist: requests (>=2.0)
Requires-Dist: win32; sys.platform == 'win32'
Provides-Dist: sample-core
Obsoletes-Dist: older (<1.0)
Requires-External: libpng (>=1.5)
Requires-Python: >=2.7,!=3.0.*
Project-URL: Bug Tracker, https://sample.invalid/bugs?a=1,2
Project-URL: Docs,https://docs.sample.invalid/
""",
    "2.1 by wheel": """\
Metadata-Version: 2.1
Name: sample-project
Version: 4.0.0
Summary: A sample Python project
Home-page: https://sample.invalid/
Author: A. Random Developer
Author-email: author@sample.invalid
Project-URL: Source, https://sample.invalid/src
Keywords: sample,setuptools,development
Classifier: Programming Language :: Python :: 3
Classifier: Programming Language :: Python :: 3 :: Only
Requires-Python: >=3.9, <4
Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM
Provides-Extra: dev
Provides-Extra: test
Requires-Dist: peppercorn
Requires-Dist: check-manifest; extra == "dev"
Requires-Dist: coverage[toml]>=7 ; (python_version >= "3.9" and os_name != "nt") and extra == 'test'

# A Sample Python Project

Name: not a field

\tTabs, *emphasis* — and – dashes, 漢字, emoji 🎉.
""",
    "2.2 by flit": """\
Metadata-Version: 2.2
Name: sample
Version: 1.2.3rc1
Summary: A sample
Dynamic: Requires-Dist
Dynamic: classifier
Requires-Dist: tomli >=1.1.0 ; python_version < "3.11"

Text.
""",
    "2.3 by poetry": """\
Metadata-Version: 2.3
Name: sample
Version: 1.2.3
License: MIT
Author: Me
Author-email: me@sample.invalid
Requires-Python: >=3.8,<4.0
Provides-Extra: all
Requires-Dist: attrs (>=20.1.0,<24.0.0)
Requires-Dist: local @ https://sample.invalid/local-1.0-py3-none-any.whl
Project-URL: Repository, https://sample.invalid/repo
Description-Content-Type: text/x-rst

Sample
======
""",
    "2.4 by hatchling": """\
Metadata-Version: 2.4
Name: sample
Version: 1.2.3.dev4
License-Expression: MIT OR Apache-2.0
License-File: LICENSES/MIT.txt
License-File: LICENSES/Apache-2.0.txt
Classifier: Typing :: Typed
Requires-Python: >=3.10
Description-Content-Type: text/markdown

Sample
""",
    "2.5 with import names": """\
Metadata-Version: 2.5
Name: sample
Version: 1
Import-Name: sample
Import-Name: _sample ; private
Import-Namespace: zope
""",
    "required fields only": REQUIRED,
    "names of fields in any case": "METADATA-VERSION: 2.4\nname: sample\nVeRsIoN: 1.0\n",
    "CRLF line ends": REQUIRED.replace("\n", "\r\n") + "Summary: a\r\n\r\n",
    "no final line end": "Metadata-Version: 2.4\nName: sample\nVersion: 1.0",
    "no space after the colon": "Metadata-Version:2.4\nName:sample\nVersion:1.0\n",
    "version with white space": "Metadata-Version: 2.4\nName: sample\nVersion:   1.0  \n",
    "description of license lines": REQUIRED + "License: MIT\n  and more\n",
    "encoded words stay as they are": REQUIRED + "Author: =?utf-8?q?Jos=C3=A9?=\n",
    "body that looks like fields": REQUIRED + "\nName: other\n\nVersion: 2\n",
    "empty requirement set": REQUIRED + "Requires-Dist: a ()\n",
    "requires-python with trailing comma": REQUIRED + "Requires-Python: >=3.6,\n",
    "several classifiers in order": REQUIRED + "Classifier: b\nClassifier: a\nClassifier: b\n",
    "extra with dots": REQUIRED + "Provides-Extra: All.Of_it\n",
    # --- wrong ones ---
    "nothing": "",
    "a body only": "\ntext\n",
    "no metadata version": "Name: sample\nVersion: 1.0\n",
    "no name": "Metadata-Version: 2.4\nVersion: 1.0\n",
    "no version": "Metadata-Version: 2.4\nName: sample\n",
    "empty name": "Metadata-Version: 2.4\nName:\nVersion: 1.0\n",
    "metadata version 2.0": "Metadata-Version: 2.0\nName: sample\nVersion: 1.0\n",
    "metadata version 2.6": "Metadata-Version: 2.6\nName: sample\nVersion: 1.0\n",
    "metadata version 1": "Metadata-Version: 1\nName: sample\nVersion: 1.0\n",
    "bad name": "Metadata-Version: 2.4\nName: -sample\nVersion: 1.0\n",
    "bad version": "Metadata-Version: 2.4\nName: sample\nVersion: latest\n",
    "two names": REQUIRED + "Name: other\n",
    "two summaries": REQUIRED + "Summary: a\nSummary: b\n",
    "two descriptions": REQUIRED + "Description: a\n\nb\n",
    "summary of two lines": REQUIRED + "Summary: a\n  b\n",
    "bad requires-python": REQUIRED + "Requires-Python: 3.9\n",
    "bad requirement": REQUIRED + "Requires-Dist: a b\n",
    "bad marker": REQUIRED + "Requires-Dist: a; python_version\n",
    "bad extra": REQUIRED + "Provides-Extra: -a\n",
    "dynamic name": REQUIRED + "Dynamic: Name\n",
    "dynamic of no field": REQUIRED + "Dynamic: Nothing\n",
    "one project URL label twice": REQUIRED + "Project-URL: a, b\nProject-URL: a, c\n",
    # --- where Rust differs ---
    "project URL without label": REQUIRED + "Project-URL: https://sample.invalid/\n",
    "unknown field": REQUIRED + "X-Tool: 1\n",
    "field of a later version": "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\nLicense-File: LICENSE\n",
    "name with white space": "Metadata-Version: 2.4\nName: sample \nVersion: 1.0\n",
    "bad license expression": REQUIRED + "License-Expression: My Own\n",
    "bad license file": REQUIRED + "License-File: ../LICENSE\n",
    "bad content type": REQUIRED + "Description-Content-Type: text/html\n",
    "bad import name": "Metadata-Version: 2.5\nName: sample\nVersion: 1.0\nImport-Name: class\n",
    "no import names": "Metadata-Version: 2.5\nName: sample\nVersion: 1.0\nImport-Name:\n",
    "text among the fields": REQUIRED + "Not a field\n",
    "continuation first": " continued\n" + REQUIRED,
    "NUL in the description": REQUIRED + "\na\0b\n",
    "escape in the author": REQUIRED + "Author: a\x1b[1m\n",
}

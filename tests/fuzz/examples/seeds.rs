//! Writes the correct inputs that the targets begin with: `cargo run -p lockstep-fuzz --example seeds`.
//!
//! Those that were found by machines or by people lie beside them and are left alone.

use std::path::Path;

use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::form::Form;

/// Every kind of field that there is.
const METADATA: &str = "\
Metadata-Version: 2.4
Name: My.Project
Version: 1.0
Dynamic: Platform
Platform: any
Supported-Platform: linux
Summary: A summary
Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM
Keywords: one,two
Home-page: https://example.org/
Download-URL: https://example.org/a
Author: A. Person
Author-email: \"A. Person\" <a@example.org>
Maintainer: B
Maintainer-email: b@example.org
License-Expression: MIT OR (Apache-2.0 WITH LLVM-exception AND GPL-2.0+)
License-File: LICENSE
Classifier: Programming Language :: Python :: 3
Requires-Dist: other[a,b]>=1.0,<2; python_version < \"3.9\" and (extra == 'x' or os_name != \"nt\")
Requires-Dist: third (~=1.4.2)
Requires-Python: >=3.9,!=3.9.7
Requires-External: C (>1)
Project-URL: Source, https://example.org/source
Provides-Extra: x

# Title

Text
";

const OLD_METADATA: &str = "\
Metadata-Version: 1.1
Name: a
Version: 1
License: A
        licence of
        two lines
Requires: os
Provides: a
Obsoletes: b
Description: Title
       |=====
";

fn main() -> std::io::Result<()> {
    documents()?;
    let opts = Opts {
        fields: vec!["License-File: LICENSE".to_owned()],
        ..Opts::with_fields("2.4", &[])
    };
    let sdist = sdist("a", "1", &opts.clone().with_file("LICENSE", b"MIT"));
    let opts = opts
        .with_file("a-1.dist-info/licenses/LICENSE", b"MIT")
        .with_file(
            "a-1.dist-info/entry_points.txt",
            b"[console_scripts]\na = a:b\n",
        );
    let wheel = wheel("a", "1", &opts);
    put("wheel", "wheel", &wheel.bytes)?;
    put("sdist", "sdist", &sdist.bytes)?;
    put("form", "wheel", &form(&wheel, 0))?;
    put("form", "sdist-in-pieces", &form(&sdist, 7))
}

fn documents() -> std::io::Result<()> {
    put("metadata", "all", METADATA.as_bytes())?;
    put("metadata", "old", OLD_METADATA.as_bytes())?;
    put(
        "filename",
        "wheel",
        b"My.Project\n1.0\nmy_project-1.0-1-cp312-cp312-manylinux_2_28_x86_64.whl",
    )?;
    put(
        "filename",
        "sdist",
        b"A\n1!2.0rc1.post2.dev3\na-1!2.0rc1.post2.dev3.tar.gz",
    )?;
    put("accept", "installer", b"\nAapplication/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.1, text/html;q=0.01\nEgzip, zstd;q=0.5, identity;q=0")?;
    put(
        "accept",
        "format",
        b"a=b&format=application%2Fvnd.pypi.simple.latest%2Bjson\nA*/*;q=0, text/*\nE*;q=0",
    )?;
    let call = |name: &str, params: &str| {
        format!(
            "<?xml version='1.0' encoding='iso-8859-1'?>\n<methodCall><methodName>{name}</methodName><params>{params}</params></methodCall>"
        )
    };
    let param = |value: &str| format!("<param><value>{value}</value></param>");
    put("xmlrpc", "list", call("system.listMethods", "").as_bytes())?;
    let calls = "<array><data><value><struct><member><name>methodName</name><value><string>system.listMethods</string></value></member><member><name>params</name><value><array><data></data></array></value></member></struct></value></data></array>";
    put(
        "xmlrpc",
        "many",
        call("system.multicall", &param(calls)).as_bytes(),
    )?;
    let changelog = [param("<int>1</int>"), param("<boolean>1</boolean>")].concat();
    put(
        "xmlrpc",
        "changelog",
        call("changelog", &changelog).as_bytes(),
    )?;
    let release = [param("<string>a&amp;b</string>"), param("1.0")].concat();
    put(
        "xmlrpc",
        "release",
        call("release_data", &release).as_bytes(),
    )?;
    uploads()
}

/// Recipes; see `src/recipe.rs`.
fn uploads() -> std::io::Result<()> {
    let fields = |kind: &str, tag: &str| {
        format!(
            ":action=file_upload\nprotocol_version=1\nmetadata_version=2.4\nname=my-project\nversion=1.0\nfiletype={kind}\npyversion={tag}"
        )
    };
    let folder = "my_project-1.0.dist-info";
    let wheel = format!(
        "my_project-1.0-py3-none-any.whl\n{}\n@@ my_project.py\npass\n@@ {folder}/METADATA\n{METADATA}\n@@ {folder}/licenses/LICENSE\nMIT\n@@ {folder}/WHEEL\nWheel-Version: 1.0\n@@ {folder}/entry_points.txt\n[console_scripts]\na = b.c:d [e]",
        fields("bdist_wheel", "py3")
    );
    put("upload", "wheel", wheel.as_bytes())?;
    let sdist = format!(
        "my_project-1.0.tar.gz\n{}\n@@ my_project-1.0/PKG-INFO\n{METADATA}\n@@ my_project-1.0/LICENSE\nMIT\n@> my_project-1.0/docs/license\n../LICENSE",
        fields("sdist", "source")
    );
    put("upload", "sdist", sdist.as_bytes())
}

fn form(dist: &Dist, piece: u8) -> Vec<u8> {
    let form = Form::of("a", "1", dist).with("metadata_version", "2.4");
    let form = form.with("sha256_digest", "@sha256@");
    [vec![piece], form.body()].concat()
}

fn put(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let folder = corpus.join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("good-{name}")), bytes)
}

//! Metadata that are well-formed and yet refused, and the same fields as they should be.

use lockstep_tests::dist::{Opts, sdist, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

use super::{Row, check, row};

/// A wheel with one field too many.
fn field(version: &str, field: &'static str, says: &'static str) -> Row {
    let dist = wheel("beta", "1.0", &Opts::with_fields(version, &[field]));
    row(field, 400, says, &Form::of("beta", "1.0", &dist))
}

#[tokio::test]
async fn metadata_that_break_a_rule_change_nothing() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let long = Opts {
        summary: Some("x".repeat(513)),
        ..Opts::default()
    };
    let long = Form::of("beta", "1.0", &wheel("beta", "1.0", &long));
    let source = sdist(
        "beta",
        "1.0",
        &Opts::with_fields("2.2", &["Classifier: Nonsense"]),
    );
    let source = Form::of("beta", "1.0", &source);
    let both = ["License: MIT", "License-Expression: MIT"];
    let both = wheel("beta", "1.0", &Opts::with_fields("2.4", &both));
    let rows = [
        field("2.0", "", "Metadata-Version `2.0` is not known"),
        field("2.1", "Dynamic: Summary", "the field Dynamic came with 2.2"),
        field("2.2", "Dynamic: Nonsense", "metadata field Dynamic"),
        field("2.2", "Dynamic: Name", "metadata field Dynamic"),
        field(
            "2.3",
            "License-Expression: MIT",
            "License-Expression came with 2.4",
        ),
        field("2.1", "Author-email: nobody", "metadata field Author-email"),
        field(
            "2.1",
            "Maintainer-email: a@",
            "metadata field Maintainer-email",
        ),
        field(
            "2.1",
            "Classifier: Topic :: Internot",
            "did you mean `Topic :: Internet`?",
        ),
        field(
            "2.1",
            "Classifier: Private :: Do Not Upload",
            "asks indexes to refuse",
        ),
        field(
            "2.1",
            "Classifier: Natural Language :: Ukranian",
            "it is deprecated, use",
        ),
        field(
            "2.1",
            "Description-Content-Type: text/html",
            "field Description-Content-Type",
        ),
        field(
            "2.1",
            "Description-Content-Type: text/markdown; variant=Pandoc",
            "field Description-Content-Type",
        ),
        field(
            "2.1",
            "Download-URL: ftp://a.example/",
            "metadata field Download-URL",
        ),
        field(
            "2.1",
            "Home-page: javascript:alert(1)",
            "metadata field Home-page",
        ),
        field(
            "2.4",
            "License-Expression: MIT License",
            "metadata field License-Expression",
        ),
        row(
            "License and License-Expression",
            400,
            "both License and License-Expression",
            &Form::of("beta", "1.0", &both),
        ),
        field(
            "2.4",
            "License-File: ../LICENSE",
            "metadata field License-File",
        ),
        field(
            "2.4",
            "License-File: LICENSE",
            "License-File names `LICENSE`, which is not in it",
        ),
        field("2.1", "Project-URL: Docs", "metadata field Project-URL"),
        field(
            "2.1",
            "Project-URL: Docs, mailto:a@b",
            "metadata field Project-URL",
        ),
        field(
            "2.1",
            "Project-URL: A label of more than 32 characters, https://a.example",
            "metadata field Project-URL",
        ),
        field(
            "2.1",
            "Requires-Dist: b @ https://a.example/b.whl",
            "metadata field Requires-Dist",
        ),
        field(
            "2.1",
            "Requires-Dist: b >> 1",
            "metadata field Requires-Dist",
        ),
        field(
            "2.1",
            "Provides-Dist: b @ file:///b.whl",
            "metadata field Provides-Dist",
        ),
        field(
            "2.1",
            "Obsoletes-Dist: b c",
            "metadata field Obsoletes-Dist",
        ),
        field("2.1", "Provides-Extra: -", "metadata field Provides-Extra"),
        field(
            "2.1",
            "Requires-Python: three",
            "is not a Python requirement",
        ),
        row(
            "Summary of 513 characters",
            400,
            "metadata field Summary has 513",
            &long,
        ),
        field("2.1", "Summary: a\n two lines", "metadata field Summary"),
        row(
            "Classifier of an sdist",
            400,
            "Classifier `Nonsense` is not known",
            &source,
        ),
    ];
    check(&index, &rows).await
}

#[tokio::test]
async fn the_same_fields_as_they_should_be_pass() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let fields = [
        "Author-email: \"Lovelace, Ada\" <ada@a.example>, g@b.example",
        "Classifier: Topic :: Internet",
        "Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM",
        "Home-page: https://a.example",
        "License-Expression: MIT OR Apache-2.0",
        "License-File: licenses/LICENSE",
        "Project-URL: A label of 32 characters exactly, https://a.example/",
        "Requires-Dist: b[c] >= 1; extra == 'a-b'",
        "Provides-Extra: a-b",
        "Dynamic: Requires-Dist",
        "Keywords: a,b",
    ];
    let opts = Opts::with_fields("2.4", &fields);
    let licence = "beta-1.0.dist-info/licenses/licenses/LICENSE";
    let good = wheel("beta", "1.0", &opts.clone().with_file(licence, b"MIT\n"));
    let source = sdist("beta", "1.0", &opts.with_file("licenses/LICENSE", b"MIT\n"));
    // Before 2.4 the paths of License-File were the author's own affair.
    let old = wheel(
        "beta",
        "0.9",
        &Opts::with_fields("2.1", &["License-File: ../LICENSE"]),
    );
    for (version, dist) in [("1.0", &good), ("1.0", &source), ("0.9", &old)] {
        let answer = Form::of("beta", version, dist).send(&index).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    index.fsck()
}

//! Forms that are wrong in themselves.

use lockstep_tests::dist::{Opts, sdist};
use lockstep_tests::form::{BOUNDARY, Form};
use lockstep_tests::index::TestIndex;

use super::{Row, check, plain_wheel, replace, row, small_limit};

#[tokio::test]
async fn wrong_forms_change_nothing() -> anyhow::Result<()> {
    let index = TestIndex::with(small_limit())?;
    let beta = plain_wheel("beta", "1.0");
    let good = Form::of("beta", "1.0", &beta);
    let with = |name: &str, value: &str| good.clone().with(name, value);
    let without = |name: &str| good.clone().without(name);
    let mut many = good.clone();
    many.fields
        .extend((0..5000).map(|n| ("classifiers".to_owned(), n.to_string())));
    let mut fileless = good.clone();
    fileless.file = None;
    let large = "x".repeat(8_500_000);
    let local = Form::of("beta", "1.0+local", &plain_wheel("beta", "1.0+local"));
    let source = sdist("beta", "1.0", &Opts::default());
    let mut picture = row(
        "file part of type image/png",
        400,
        "content: Invalid distribution file. It is sent as `image/png`",
        &good,
    );
    replace(&mut picture.body, b"application/octet-stream", b"image/png");
    let text = Row {
        content_type: "text/plain".to_owned(),
        ..row("not multipart", 400, "not multipart/form-data", &good)
    };
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    let mut twice = row("second content part", 400, "Only one `content`", &good);
    twice.body.truncate(twice.body.len() - end.len());
    let file_alone = Form {
        fields: Vec::new(),
        ..good.clone()
    };
    twice.body.extend(file_alone.body());
    let mut unended = row(
        "body without its last boundary",
        400,
        "ended too early",
        &good,
    );
    unended.body.truncate(unended.body.len() - end.len() - 10);
    let part = |head: &str, value: &[u8]| {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [head.as_bytes(), value, b"\r\n", &good.body()].concat()
    };
    let latin = Row {
        body: part("name=\"author\"", b"Andr\xe9"),
        ..row(
            "field that is not UTF-8",
            400,
            "author: The value is not UTF-8",
            &good,
        )
    };
    let as_file = Row {
        body: part("name=\"summary\"; filename=\"s.txt\"", b"text"),
        ..row(
            "field sent as a file",
            400,
            "summary: Should not be a file",
            &good,
        )
    };
    check(
        &index,
        &[
            row(
                "other :action",
                400,
                ":action: ",
                &with(":action", "upload"),
            ),
            row(
                ":action of 2013",
                410,
                ":action: Projects are made by their first upload",
                &with(":action", "submit_pkg_info"),
            ),
            row(
                "unknown metadata_version",
                400,
                "metadata_version: Metadata-Version `2.0` is not known",
                &with("metadata_version", "2.0"),
            ),
            row(
                "no metadata_version",
                400,
                "metadata_version: This field is required",
                &without("metadata_version"),
            ),
            row(
                "a name that is UNKNOWN",
                400,
                "name: This field is required",
                &with("name", "UNKNOWN"),
            ),
            row(
                "two faults: metadata_version is told",
                400,
                "metadata_version: ",
                &with("version", "x")
                    .with("name", "-")
                    .without("metadata_version"),
            ),
            row(
                "two faults: name is told",
                400,
                "name: ",
                &with("version", "x").with("name", "-").without("filetype"),
            ),
            row(
                "wheel without pyversion",
                400,
                "pyversion: This field is required for wheels",
                &without("pyversion"),
            ),
            row(
                "sdist of a Python version",
                400,
                "pyversion: The only valid Python version of an sdist is `source`",
                &Form::of("beta", "1.0", &source).with("pyversion", "3.12"),
            ),
            picture,
            row("no :action", 400, ":action: ", &without(":action")),
            row(
                "protocol_version 2",
                400,
                "protocol_version: ",
                &with("protocol_version", "2"),
            ),
            row("local version", 400, "version: The local version", &local),
            row(
                "version that is none",
                400,
                "version: ",
                &with("version", "one"),
            ),
            row("name that is none", 400, "name: ", &with("name", "-beta-")),
            row(
                "name with a line break",
                400,
                "name: ",
                &with("name", "be\r\nta"),
            ),
            row(
                "no name",
                400,
                "name: This field is required",
                &without("name"),
            ),
            row(
                "no version",
                400,
                "version: This field is required",
                &without("version"),
            ),
            row(
                "no filetype",
                400,
                "filetype: This field is required",
                &without("filetype"),
            ),
            row("no file", 400, "does not have a file", &fileless),
            row(
                "8.5 MB of description",
                413,
                "too large",
                &with("description", &large),
            ),
            row("5,000 fields", 413, "too many", &many),
            text,
            twice,
            unended,
            latin,
            as_file,
        ],
    )
    .await
}

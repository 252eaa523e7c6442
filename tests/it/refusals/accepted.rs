//! A name that is taken, and forms that are odd and yet right.

use lockstep_core::digest::FileHasher;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

use super::state::State;
use super::{plain_wheel, renamed, replace, row, send};

#[tokio::test]
async fn a_taken_name_is_refused_and_the_same_bytes_are_not() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let dist = plain_wheel("beta", "1.0");
    let first = Form::of("beta", "1.0", &dist).send(&index).await?;
    assert_eq!(first.status, 200, "{first:?}");
    index.settle()?;

    let before = State::of(&index)?;
    let again = Form::of("beta", "1.0", &dist).send(&index).await?;
    assert_eq!((again.status, again.body.as_str()), (200, ""));
    assert_eq!(
        (again.serial, &again.page_sha256),
        (first.serial, &first.page_sha256)
    );
    assert_eq!(
        State::of(&index)?,
        before,
        "the same bytes again change nothing"
    );

    let other = renamed(
        wheel(
            "beta",
            "1.0",
            &Opts {
                payload: 9,
                ..Opts::default()
            },
        ),
        &dist.filename,
    );
    let taken = row(
        "taken",
        400,
        "File already exists",
        &Form::of("beta", "1.0", &other),
    );
    for (accept, content_type) in [
        (
            "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7",
            "application/json",
        ),
        (
            "application/problem+json, application/json;q=0.9",
            "application/problem+json",
        ),
    ] {
        let got = send(&index, &taken, accept).await?;
        assert_eq!(
            (got.status, got.header("content-type")),
            (400, content_type)
        );
        let body = got.json()?;
        // Plain JSON says the sentence there, too: uv shows people nothing else of it.
        let code = match content_type {
            "application/json" => format!("400 {}", body["message"].as_str().unwrap_or_default()),
            _ => "file-exists".to_owned(),
        };
        assert_eq!(
            (&body["code"], &body["title"]),
            (&code.into(), &"Bad Request".into())
        );
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("File already exists"))
        );
        assert_eq!(
            (&body["status"], &body["detail"]),
            (&400.into(), &body["message"])
        );
    }
    let plain = send(&index, &taken, "*/*").await?;
    assert_eq!(
        (plain.status, plain.header("content-type")),
        (400, "text/plain; charset=utf-8")
    );
    assert!(
        plain
            .text()
            .starts_with("File already exists ('beta-1.0-py3-none-any.whl'")
    );
    // twine shows the reason phrase alone, which reqwest hides.
    let head = super::connection::head_of_whole(&index, &taken)?;
    assert!(
        head.starts_with("HTTP/1.1 400 File already exists ('beta-1.0-py3"),
        "{head}"
    );
    // The refused bytes may stay as an orphan blob that nothing names; no row may.
    assert_eq!(State::of(&index)?.rows, before.rows);

    // The same bytes under another name are taken, too: files are addressed by their bytes.
    let renamed = renamed(dist, "beta-1.0-py2-none-any.whl");
    let got = Form::of("beta", "1.0", &renamed).send(&index).await?;
    assert_eq!(
        (got.status, &got.body[..19]),
        (400, "File already exists"),
        "{got:?}"
    );
    assert_eq!(State::of(&index)?.rows, before.rows);
    index.fsck()
}

#[tokio::test]
async fn the_file_part_may_stand_anywhere_and_fields_may_repeat() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    for (version, file_at) in [("1.0", 0), ("2.0", 3), ("3.0", usize::MAX)] {
        let mut form = Form::of("beta", version, &plain_wheel("beta", version));
        form.file_at = file_at;
        for classifier in ["Topic :: Internet", "Topic :: Utilities"] {
            form.fields
                .push(("classifiers".to_owned(), classifier.to_owned()));
        }
        form.fields
            .push(("unheard_of".to_owned(), "is ignored".to_owned()));
        let answer = form.send(&index).await?;
        assert_eq!(answer.status, 200, "file part at {file_at}: {answer:?}");
    }
    // All three digests, in the other case: clients send either.
    let dist = plain_wheel("beta", "4.0");
    let mut hasher = FileHasher::default();
    hasher.update(&dist.bytes);
    let digests = hasher.finish();
    let form = Form::of("beta", "4.0", &dist)
        .with("md5_digest", &digests.md5.to_string().to_uppercase())
        .with(
            "blake2_256_digest",
            &digests.blake2b_256.to_string().to_uppercase(),
        )
        .with("sha256_digest", &dist.sha256.to_uppercase());
    assert_eq!(form.send(&index).await?.status, 200);

    // uv sends no type with the file, old tools `UNKNOWN` and signatures; none of it is looked at.
    let form = Form::of("beta", "5.0", &plain_wheel("beta", "5.0"))
        .with("summary", "UNKNOWN")
        .with("comment", "a comment")
        .with("gpg_signature", "a signature");
    let mut typeless = row("", 200, "", &form);
    replace(
        &mut typeless.body,
        b"\r\nContent-Type: application/octet-stream",
        b"",
    );
    assert_eq!(send(&index, &typeless, "*/*").await?.status, 200);
    index.fsck()
}

#[test]
fn a_reason_phrase_is_ascii() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let form = Form::of("beta", "1.0", &plain_wheel("beta", "1.0")).with("name", "caf\u{e9}");
    let head = super::connection::head_of_whole(&index, &row("", 400, "", &form))?;
    assert!(head.is_ascii(), "{head}");
    assert!(
        head.starts_with("HTTP/1.1 400 name: `caf?` is not a project name"),
        "{head}"
    );
    Ok(())
}

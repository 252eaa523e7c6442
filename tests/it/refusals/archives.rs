//! Archives and file names that are wrong, or are not what the form says.

use std::io::{Cursor, Write as _};

use flate2::GzBuilder;
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Dist, Opts, sdist};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{check, plain_wheel, renamed, row, small_limit};

const OTHER_HASH: &str = "00000000000000000000000000000000";

fn with_bytes(dist: &Dist, bytes: Vec<u8>) -> Dist {
    Dist {
        filename: dist.filename.clone(),
        sha256: Sha256::of(&bytes).to_string(),
        bytes,
    }
}

fn cut(dist: &Dist) -> Dist {
    with_bytes(dist, dist.bytes[..dist.bytes.len() / 2].to_vec())
}

fn zip_without_metadata() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer
        .start_file("beta/__init__.py", options)
        .expect("a member");
    writer.write_all(b"pass\n").expect("written to memory");
    writer.finish().expect("written to memory").into_inner()
}

fn tar_without_metadata() -> Vec<u8> {
    let gzip = GzBuilder::new().write(Vec::new(), flate2::Compression::default());
    let mut builder = tar::Builder::new(gzip);
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(5);
    builder
        .append_data(&mut header, "beta-1.0/setup.py", &b"pass\n"[..])
        .expect("written to memory");
    let gzip = builder.into_inner().expect("written to memory");
    gzip.finish().expect("written to memory")
}

#[tokio::test]
async fn wrong_archives_and_names_change_nothing() -> anyhow::Result<()> {
    let index = TestIndex::with(small_limit())?;
    let beta = plain_wheel("beta", "1.0");
    let source = sdist("beta", "1.0", &Opts::default());
    let good = Form::of("beta", "1.0", &beta);
    let named = |filename| Form::of("beta", "1.0", &renamed(beta.clone(), filename));
    let holding = |dist: Dist| Form::of("beta", "1.0", &dist);
    let other_name = renamed(plain_wheel("alpha", "1.0"), &beta.filename);
    let other_version = renamed(plain_wheel("beta", "2.0"), &beta.filename);
    let mismatch = "does not match a digest";
    let digest = |name: &str, times| good.clone().with(name, &OTHER_HASH.repeat(times));
    let no_digest = good.clone().without("sha256_digest");
    let invalid = "Invalid distribution file. ";
    check(
        &index,
        &[
            row("wrong SHA-256", 400, mismatch, &digest("sha256_digest", 2)),
            row("wrong MD5", 400, mismatch, &digest("md5_digest", 1)),
            row(
                "wrong BLAKE2b",
                400,
                mismatch,
                &digest("blake2_256_digest", 2),
            ),
            row(
                "digest of garbage",
                400,
                mismatch,
                &good.clone().with("md5_digest", "x"),
            ),
            row("no digest", 400, "at least one message digest", &no_digest),
            row(
                "metadata of another name",
                400,
                "name: The form says",
                &holding(other_name),
            ),
            row(
                "metadata of another version",
                400,
                "version: The form",
                &holding(other_version),
            ),
            row(
                "file of another project",
                400,
                "not that of project",
                &named("alpha-1.0-py3-none-any.whl"),
            ),
            row(
                "file of another version",
                400,
                "not that of version",
                &named("beta-2.0-py3-none-any.whl"),
            ),
            row(
                "wheel in an old spelling",
                400,
                "not in its normal form: expected `beta-1.0-py3-none-any.whl`",
                &named("Beta-1.0-py3-none-any.whl"),
            ),
            row(
                "sdist in an old spelling",
                400,
                "not in its normal form: expected `beta-1.0.tar.gz`",
                &holding(renamed(source.clone(), "beta-1.0.0.tar.gz")),
            ),
            row(
                "wheel of a single machine",
                400,
                "has the platform tag `linux_x86_64`",
                &named("beta-1.0-py3-none-linux_x86_64.whl"),
            ),
            row(
                "wheel name in pieces",
                400,
                "malformed",
                &named("beta-1.0.whl"),
            ),
            row(".zip", 400, "no accepted kind", &named("beta-1.0.zip")),
            row(".exe", 400, "no accepted kind", &named("beta-1.0.exe")),
            row("no extension", 400, "no accepted kind", &named("beta-1.0")),
            row(
                "a path as file name",
                400,
                "File name",
                &named("../beta-1.0-py3-none-any.whl"),
            ),
            row(
                "a quote in the file name",
                400,
                "File name",
                &named("beta-1.0-py3-none-any'.whl"),
            ),
            row("no file name", 400, "File name", &named("")),
            row(
                "filetype of the other kind",
                400,
                "filetype: ",
                &good.clone().with("filetype", "sdist").without("pyversion"),
            ),
            row(
                "unknown filetype",
                400,
                "filetype: ",
                &good.clone().with("filetype", "bdist_egg"),
            ),
            row("truncated wheel", 400, invalid, &holding(cut(&beta))),
            row("truncated sdist", 400, invalid, &holding(cut(&source))),
            row(
                "wheel without METADATA",
                400,
                invalid,
                &holding(with_bytes(&beta, zip_without_metadata())),
            ),
            row(
                "sdist without PKG-INFO",
                400,
                invalid,
                &holding(with_bytes(&source, tar_without_metadata())),
            ),
            row(
                "sdist in a wheel's name",
                400,
                invalid,
                &holding(with_bytes(&beta, source.bytes.clone())),
            ),
            row(
                "empty file",
                400,
                "content: The file is empty",
                &holding(with_bytes(&beta, Vec::new())),
            ),
        ],
    )
    .await
}

//! Wheels and sdists whose parts contradict each other.

use std::io::{Cursor, Read as _, Write as _};

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{Row, check, plain_wheel, row};

/// A member's name and bytes.
type Member = (String, Vec<u8>);

/// The wheel of these members, after `change`; RECORD stays what it was.
fn changed(change: impl FnOnce(&mut Vec<Member>)) -> Dist {
    let good = plain_wheel("beta", "1.0");
    let mut archive = ZipArchive::new(Cursor::new(&good.bytes)).expect("a zip archive");
    let mut members: Vec<Member> = (0..archive.len())
        .map(|index| {
            let mut member = archive.by_index(index).expect("a member");
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("read");
            (member.name().expect("a name").into_owned(), bytes)
        })
        .collect();
    change(&mut members);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in members {
        writer.start_file(name, options).expect("a member");
        writer.write_all(&bytes).expect("written to memory");
    }
    let bytes = writer.finish().expect("written to memory").into_inner();
    with_bytes(bytes)
}

fn with_bytes(bytes: Vec<u8>) -> Dist {
    Dist {
        filename: plain_wheel("beta", "1.0").filename,
        sha256: Sha256::of(&bytes).to_string(),
        bytes,
    }
}

/// A member's bytes with one text for another.
fn edited(member: &'static str, old: &'static str, new: &'static str) -> Dist {
    changed(|members| {
        let found = members.iter_mut().find(|(name, _)| name.ends_with(member));
        let (_, bytes) = found.expect("a member");
        let text = String::from_utf8(bytes.clone()).expect("text");
        assert!(text.contains(old), "{text}");
        *bytes = text.replace(old, new).into_bytes();
    })
}

fn refused(mischief: &'static str, says: &'static str, dist: &Dist) -> Row {
    row(mischief, 400, says, &Form::of("beta", "1.0", dist))
}

/// The good wheel, stored, with bytes replaced: the `nth` time `old` occurs.
fn patched(old: &[u8], nth: usize, new: &[u8]) -> Dist {
    let mut bytes = changed(|_| {}).bytes;
    let places = bytes.windows(old.len()).enumerate();
    let mut places = places
        .filter(|(_, window)| *window == old)
        .map(|(at, _)| at);
    let at = places.nth(nth).expect("it is there");
    bytes[at..at + new.len()].copy_from_slice(new);
    with_bytes(bytes)
}

#[tokio::test]
async fn archives_that_contradict_themselves_change_nothing() -> anyhow::Result<()> {
    let index = TestIndex::with(Options {
        settings: "[upload]\nmax_members = 20\nmax_unpacked_size = '2 MiB'\n".to_owned(),
        ..Options::default()
    })?;
    let without =
        |file: &'static str| changed(|members| members.retain(|(name, _)| !name.ends_with(file)));
    let with = |name: &'static str, bytes: Vec<u8>| {
        changed(|members| members.push((name.to_owned(), bytes)))
    };
    let folder = changed(|members| {
        for (name, bytes) in members {
            let renamed = |text: &str| text.replace("beta-1.0.dist-info", "beta-1.dist-info");
            *name = renamed(name);
            *bytes = renamed(&String::from_utf8_lossy(bytes)).into_bytes();
        }
    });
    let twice = patched(
        b"beta-1.0.dist-info/WHEEL",
        1,
        b"beta/__init__.py\0\0\0\0\0\0\0\0",
    );
    let tail = with_bytes([&changed(|_| {}).bytes[..], b"tail"].concat());
    let head = with_bytes([b"head", &changed(|_| {}).bytes[..]].concat());
    let entry_points = b"[console_scripts]\nbeta\n".to_vec();
    let entry_points = wheel(
        "beta",
        "1.0",
        &Opts::default().with_file("beta-1.0.dist-info/entry_points.txt", &entry_points),
    );
    let mut many = Opts::default();
    for number in 0..20 {
        many = many.with_file(&format!("beta/{number}"), b"");
    }
    let zeros = Opts::default().with_file("beta/zeros", &vec![0; 3 << 20]);
    let source = |opts| Form::of("beta", "1.0", &sdist("beta", "1.0", &opts));
    let other_folder = {
        let mut other = sdist("alpha", "1.0", &Opts::default());
        other.filename = "beta-1.0.tar.gz".to_owned();
        Form::of("beta", "1.0", &other)
    };
    check(
        &index,
        &[
            refused("no WHEEL", "no WHEEL in its", &without("/WHEEL")),
            refused("no RECORD", "no RECORD in its", &without("/RECORD")),
            refused("no METADATA", "no METADATA in its", &without("/METADATA")),
            refused(
                "WHEEL of version 2",
                "a WHEEL of version `2.0`",
                &edited("WHEEL", "1.0", "2.0"),
            ),
            refused(
                "dist-info of another name",
                "expected `beta-1.0.dist-info`",
                &folder,
            ),
            refused(
                "file that RECORD has not",
                "its RECORD does not list `beta/more.py`",
                &with("beta/more.py", b"x".to_vec()),
            ),
            refused(
                "file that only RECORD has",
                "its RECORD lists `beta/__init__.py`, which is not in the archive",
                &without("__init__.py"),
            ),
            refused(
                "other hash than RECORD's",
                "the hash of `beta/__init__.py` is not the one in its RECORD",
                &edited("__init__.py", "made", "Made"),
            ),
            refused(
                "other size than RECORD's",
                "bytes, and its RECORD says",
                &edited("__init__.py", "made", "made by hand"),
            ),
            refused(
                "RECORD with MD5",
                "no SHA-256, SHA-384 or SHA-512 hash of `beta/__init__.py`",
                &edited("RECORD", "py,sha256", "py,md5"),
            ),
            refused(
                "RECORD that is none",
                "line 1 of its RECORD",
                &edited("RECORD", ",", ";"),
            ),
            refused(
                "entry point without an object",
                "line 2 of its entry_points.txt",
                &entry_points,
            ),
            refused("data before a wheel", "Invalid distribution file.", &head),
            refused(
                "data behind a wheel",
                "data after the end of the archive",
                &tail,
            ),
            refused(
                "two names of one member",
                "Invalid distribution file.",
                &twice,
            ),
            refused(
                "member whose own header says another size",
                "Invalid distribution file.",
                &patched(
                    b"PK\x03\x04\x0a\0\0\0\0\0",
                    0,
                    b"PK\x03\x04\x0a\0\0\0\x08\0",
                ),
            ),
            refused(
                "21 members and more",
                "too many members; expected at most 20",
                &wheel("beta", "1.0", &many),
            ),
            row(
                "21 members and more, sdist",
                400,
                "too many members; expected at most 20",
                &source(many.clone()),
            ),
            refused(
                "3 MiB of zeros",
                "too many bytes; expected at most 2.0 MiB",
                &wheel("beta", "1.0", &zeros),
            ),
            row(
                "3 MiB of zeros, sdist",
                400,
                "too many bytes; expected at most 2.0 MiB",
                &source(zeros),
            ),
            row(
                "sdist of another project",
                400,
                "name: The form says `beta`",
                &other_folder,
            ),
        ],
    )
    .await
}

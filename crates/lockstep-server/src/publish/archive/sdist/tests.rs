//! Sdists made in memory, good and bad.

use std::io::Write as _;

use bytesize::ByteSize;
use flate2::Compression;
use flate2::write::GzEncoder;
use lockstep_core::filename::DistKind;
use tar::{Builder, Header};

use super::super::Limits;
use super::super::tests::{read, read_all};
use super::*;

const PKG_INFO: &[u8] = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";

/// One member: its name, what it is, where it links to, its bytes.
type Member<'a> = (&'a str, EntryType, &'a str, &'a [u8]);

const GOOD: [Member<'static>; 3] = [
    ("demo-1.0/", EntryType::Directory, "", b""),
    ("demo-1.0/PKG-INFO", EntryType::Regular, "", PKG_INFO),
    ("demo-1.0/demo.py", EntryType::Regular, "", b"answer = 42\n"),
];

fn tar_of<'a>(members: impl IntoIterator<Item = Member<'a>>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, link, bytes) in members {
        let mut header = Header::new_gnu();
        // Written past the builder, which would refuse the names that the tests are about.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, bytes).expect("a member");
    }
    builder.into_inner().expect("finished")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("finished")
}

fn good_and(member: Member<'_>) -> Vec<u8> {
    gzip(&tar_of(GOOD.into_iter().chain([member])))
}

fn refusal(bytes: &[u8]) -> ArchiveError {
    read(bytes, DistKind::Sdist).expect_err("refused")
}

#[test]
fn a_good_sdist_gives_its_pkg_info_byte_for_byte() {
    let metadata = read(&gzip(&tar_of(GOOD)), DistKind::Sdist).expect("a good sdist");
    assert_eq!(metadata, PKG_INFO);
    let dotted = GOOD.map(|(name, kind, link, bytes)| (format!("./{name}"), kind, link, bytes));
    let dotted = dotted
        .iter()
        .map(|(name, kind, link, bytes)| (name.as_str(), *kind, *link, *bytes));
    assert!(read(&gzip(&tar_of(dotted)), DistKind::Sdist).is_ok());
}

#[test]
fn every_truncation_is_refused() {
    let good = gzip(&tar_of(GOOD));
    for length in 1..good.len() {
        let error = refusal(&good[..length]);
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
    }
    // Cut inside a member before it was compressed.
    let error = refusal(&gzip(&tar_of(GOOD)[..512 + 512 + 20]));
    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
}

#[test]
fn data_behind_the_archive_is_refused() {
    let good = tar_of(GOOD);
    let behind_gzip = [&gzip(&good)[..], b"tail"].concat();
    assert!(matches!(
        refusal(&behind_gzip),
        ArchiveError::Damaged { .. }
    ));
    let behind_tar = gzip(&[&good[..], b"tail"].concat());
    assert!(matches!(
        refusal(&behind_tar),
        ArchiveError::TrailingData { .. }
    ));
    let second_member = [gzip(&good), gzip(b"tail")].concat();
    assert!(matches!(
        refusal(&second_member),
        ArchiveError::TrailingData { .. }
    ));
    // Padding to tar's record size is part of the format.
    assert!(read(&gzip(&[good, vec![0; 10240]].concat()), DistKind::Sdist).is_ok());
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut bytes = gzip(&tar_of(GOOD));
    let crc = bytes.len() - 8;
    bytes[crc] ^= 1;
    assert!(matches!(refusal(&bytes), ArchiveError::Damaged { .. }));
}

#[test]
fn one_folder_with_pkg_info_is_expected() {
    let error = refusal(&gzip(&tar_of([GOOD[0], GOOD[2]])));
    assert_eq!(
        error.to_string(),
        "Invalid distribution file. It has no PKG-INFO in its folder; \
         expected one folder at the top with PKG-INFO in it."
    );
    let two = refusal(&good_and(("other/x", EntryType::Regular, "", b"")));
    assert!(
        two.to_string().contains("both `demo-1.0` and `other`"),
        "{two}"
    );
    let top = refusal(&gzip(&tar_of([(
        "PKG-INFO",
        EntryType::Regular,
        "",
        PKG_INFO,
    )])));
    assert!(top.to_string().contains("a file at its top"), "{top}");
    let twice = refusal(&good_and(GOOD[1]));
    assert!(twice.to_string().contains("PKG-INFO twice"), "{twice}");
    assert!(
        refusal(&gzip(&[0; 1024]))
            .to_string()
            .contains("no members")
    );
}

#[test]
fn paths_and_links_that_lead_outside_are_refused() {
    let bad: [Member<'_>; 6] = [
        ("demo-1.0/../evil", EntryType::Regular, "", b""),
        ("/demo-1.0/evil", EntryType::Regular, "", b""),
        ("demo-1.0/l", EntryType::Symlink, "/etc/passwd", b""),
        ("demo-1.0/l", EntryType::Symlink, "../evil", b""),
        (
            "demo-1.0/l",
            EntryType::Symlink,
            "a/../../../demo-1.0/x",
            b"",
        ),
        ("demo-1.0/l", EntryType::Link, "demo-1.0/../../evil", b""),
    ];
    for member in bad {
        let error = refusal(&good_and(member));
        assert!(
            matches!(error, ArchiveError::Outside { .. }),
            "{member:?}: {error}"
        );
    }
    let good: [Member<'_>; 3] = [
        ("demo-1.0/l", EntryType::Symlink, "demo.py", b""),
        ("demo-1.0/docs/l", EntryType::Symlink, "../demo.py", b""),
        ("demo-1.0/l", EntryType::Link, "demo-1.0/demo.py", b""),
    ];
    for member in good {
        assert!(
            read(&good_and(member), DistKind::Sdist).is_ok(),
            "{member:?}"
        );
    }
}

#[test]
fn devices_and_pipes_are_refused() {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
        let error = refusal(&good_and(("demo-1.0/d", kind, "", b"")));
        assert!(matches!(error, ArchiveError::Member { .. }), "{error}");
    }
}

#[test]
fn sparse_files_are_refused_in_either_dialect() {
    // Its map is looked for in the header, and is not there.
    refusal(&good_and(("demo-1.0/s", EntryType::GNUSparse, "", b"")));
    let pax = (
        "pax",
        EntryType::XHeader,
        "",
        &b"22 GNU.sparse.major=1\n"[..],
    );
    let file = ("demo-1.0/s", EntryType::Regular, "", &b"x"[..]);
    let error = refusal(&gzip(&tar_of([GOOD[0], pax, file])));
    assert!(error.to_string().contains("a sparse file"), "{error}");
}

#[test]
fn what_others_read_otherwise_is_refused() {
    let twice = ("demo-1.0/PKG-INFO", EntryType::Continuous, "", PKG_INFO);
    let link = ("demo-1.0/PKG-INFO", EntryType::Symlink, "demo.py", &b""[..]);
    for member in [twice, link] {
        let error = refusal(&good_and(member));
        assert!(matches!(error, ArchiveError::Layout { .. }), "{error}");
    }
    let inside = tar_of([("demo-1.0/PKG-INFO", EntryType::Regular, "", PKG_INFO)]);
    let folder = ("demo-1.0/d/", EntryType::Directory, "", &inside[..]);
    let link = ("demo-1.0/l", EntryType::Symlink, "demo.py", &inside[..]);
    for member in [folder, link] {
        let error = refusal(&good_and(member));
        assert!(error.to_string().contains("with bytes"), "{error}");
    }
}

#[test]
fn bombs_are_refused_wherever_they_hide() {
    let zeros = vec![0; 80 << 20];
    let member = refusal(&good_and(("demo-1.0/z", EntryType::Regular, "", &zeros)));
    assert!(matches!(member, ArchiveError::TooLarge { .. }), "{member}");
    let behind = refusal(&gzip(&[&tar_of(GOOD)[..], &zeros].concat()));
    assert!(matches!(behind, ArchiveError::TooLarge { .. }), "{behind}");
    let name = refusal(&good_and((
        "././@LongLink",
        EntryType::GNULongName,
        "",
        &zeros[..2 << 20],
    )));
    assert!(name.to_string().contains("larger than 1 MiB"), "{name}");
    let document = (
        "demo-1.0/PKG-INFO",
        EntryType::Regular,
        "",
        &zeros[..9 << 20],
    );
    let giant = refusal(&gzip(&tar_of([GOOD[0], document])));
    assert!(giant.to_string().contains("at most 8 MiB"), "{giant}");
}

#[test]
fn headers_count_as_inflated_bytes() {
    // A remark of 512 KiB on each file, which compresses to nothing.
    let remark = "x".repeat(512 << 10);
    let mut builder = Builder::new(Vec::new());
    builder
        .append(&header_of("demo-1.0/PKG-INFO", PKG_INFO.len()), PKG_INFO)
        .expect("a member");
    for _ in 0..16 {
        builder
            .append_pax_extensions([("comment", remark.as_bytes())])
            .expect("a remark");
        builder
            .append(&header_of("demo-1.0/a", 0), &[][..])
            .expect("a member");
    }
    let bytes = gzip(&builder.into_inner().expect("finished"));
    let limits = |unpacked| Limits {
        members: 100,
        unpacked,
    };
    let read = |limits| read_all(&bytes, DistKind::Sdist, limits);
    assert!(read(limits(ByteSize::mib(9))).is_ok());
    assert_eq!(
        read(limits(ByteSize::mib(8)))
            .expect_err("large")
            .to_string(),
        "Invalid distribution file. It has members that inflate to too many bytes; expected at most \
         8.0 MiB."
    );
}

fn header_of(name: &str, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_path(name).expect("a name");
    header.set_mode(0o644);
    header.set_size(size as u64);
    header.set_cksum();
    header
}

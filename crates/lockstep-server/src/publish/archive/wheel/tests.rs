//! Wheels made in memory, good and bad.

use std::io::{Cursor, Write as _};

use lockstep_core::filename::DistKind;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lockstep_core::digest::Sha256;

use super::super::tests::{LIMITS, read, read_all};
use super::*;

const GOOD: [(&str, &[u8]); 4] = [
    ("demo/__init__.py", b"answer = 42\n"),
    (
        "demo-1.0.dist-info/METADATA",
        b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    ),
    ("demo-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\n"),
    ("demo-1.0.dist-info/RECORD", b""),
];

/// The archive of these members; an empty RECORD is filled with what it should have.
fn zip_of<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut members: Vec<_> = members.into_iter().collect();
    let line = |(name, bytes): &(&str, &[u8])| {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::of(bytes).as_bytes());
        format!("{name},sha256={hash},{}\n", bytes.len())
    };
    let others = members.iter().filter(|(name, _)| *name != GOOD[3].0);
    let record = others.map(line).collect::<String>() + "demo-1.0.dist-info/RECORD,,\n";
    for (name, bytes) in &mut members {
        if *name == GOOD[3].0 && bytes.is_empty() {
            *bytes = record.as_bytes();
        }
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer
            .start_file(name, SimpleFileOptions::default())
            .expect("a member");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

fn refusal(bytes: &[u8]) -> ArchiveError {
    read(bytes, DistKind::Wheel).expect_err("refused")
}

#[test]
fn a_good_wheel_gives_its_metadata_byte_for_byte() {
    let metadata = read(&zip_of(GOOD), DistKind::Wheel).expect("a good wheel");
    assert_eq!(metadata, GOOD[1].1);
}

#[test]
fn every_truncation_is_refused() {
    let good = zip_of(GOOD);
    for length in 1..good.len() {
        let error = refusal(&good[..length]);
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_flipped_byte_of_a_member_is_refused() {
    let good = zip_of(GOOD);
    // 30 bytes of header and 16 of name come before the first member's data.
    let mut bad = good.clone();
    bad[30 + 16 + 4] ^= 0x20;
    assert!(matches!(refusal(&bad), ArchiveError::Damaged { .. }));
}

#[test]
fn data_before_and_after_the_archive_is_refused() {
    let good = zip_of(GOOD);
    let after = [&good[..], b"tail"].concat();
    assert!(matches!(refusal(&after), ArchiveError::TrailingData { .. }));
    let before = [b"head", &good[..]].concat();
    assert!(matches!(refusal(&before), ArchiveError::Damaged { .. }));
}

#[test]
fn the_dist_info_folder_must_be_one_and_complete() {
    for missing in ["METADATA", "WHEEL", "RECORD"] {
        let members = GOOD
            .into_iter()
            .filter(|(name, _)| !name.ends_with(missing));
        let error = refusal(&zip_of(members));
        assert_eq!(
            error.to_string(),
            format!(
                "Invalid distribution file. It has no {missing} in its `*.dist-info` folder; \
                 expected exactly one `*.dist-info` folder with METADATA, WHEEL and RECORD."
            )
        );
    }
    let none = refusal(&zip_of([GOOD[0]]));
    assert!(none.to_string().contains("no `*.dist-info` folder"));
    let second = ("other-2.dist-info/METADATA", &b"x"[..]);
    let two = refusal(&zip_of(GOOD.into_iter().chain([second])));
    assert!(two.to_string().contains("`other-2.dist-info`"), "{two}");
    // Deeper in the tree it is data like any other.
    let vendored = ("demo/_vendor/other-2.dist-info/METADATA", &b"x"[..]);
    assert!(read(&zip_of(GOOD.into_iter().chain([vendored])), DistKind::Wheel).is_ok());
}

#[test]
fn paths_that_lead_outside_are_refused() {
    for name in [
        "../evil",
        "a/../../evil",
        "/etc/evil",
        "..\\evil",
        "C:\\evil",
    ] {
        let error = refusal(&zip_of(GOOD.into_iter().chain([(name, &b"x"[..])])));
        assert!(
            matches!(error, ArchiveError::Outside { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_bomb_and_a_giant_document_are_refused() {
    let zeros = vec![0; 80 << 20];
    let bomb = refusal(&zip_of(
        GOOD.into_iter().chain([("demo/zeros", &zeros[..])]),
    ));
    assert!(matches!(bomb, ArchiveError::TooLarge { .. }), "{bomb}");
    let document = ("demo-1.0.dist-info/METADATA", &zeros[..9 << 20]);
    let giant = refusal(&zip_of([GOOD[0], document, GOOD[2], GOOD[3]]));
    assert!(giant.to_string().contains("at most 8 MiB"), "{giant}");
}

#[test]
fn encrypted_members_are_refused() {
    let mut bytes = zip_of(GOOD);
    // Bit 0 of the flags says "encrypted", in the member's own header and the central one.
    bytes[6] |= 1;
    let central = bytes
        .windows(4)
        .position(|bytes| bytes == b"PK\x01\x02")
        .expect("a central directory");
    bytes[central + 8] |= 1;
    assert!(refusal(&bytes).to_string().contains("encrypted"));
}

#[test]
fn too_many_members_are_refused_before_they_are_read() {
    // Only the records at the end, which is all that may be looked at.
    let mut record_64 = *b"PK\x06\x06____________________________________________________";
    record_64[32..40].copy_from_slice(&(100_001_u64).to_le_bytes());
    let locator = *b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0";
    let mut record = [0; 22];
    record[..4].copy_from_slice(b"PK\x05\x06");
    let bytes = [&record_64[..], &locator, &record].concat();
    assert!(refusal(&bytes).to_string().contains("at most 100000"));
}

#[test]
fn a_record_of_other_files_is_refused() {
    let with = |record: &'static [u8]| {
        let members = GOOD.map(|(name, bytes)| match name {
            "demo-1.0.dist-info/RECORD" => (name, record),
            _ => (name, bytes),
        });
        refusal(&zip_of(members)).to_string()
    };
    assert_eq!(
        with(b"demo/other.py,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\n"),
        "Invalid distribution file: its RECORD does not list `demo/__init__.py`."
    );
    assert!(with(b"demo\n").contains("line 1 of its RECORD is not"));
    // A folder needs no line; a signature neither.
    let more = [
        ("demo/data/", &b""[..]),
        ("demo-1.0.dist-info/RECORD.jws", b"{}"),
    ];
    let mut members = GOOD.to_vec();
    members.extend(more);
    let listed = zip_of(GOOD);
    let mut archive = ZipArchive::new(Cursor::new(listed)).expect("a zip archive");
    let mut record = Vec::new();
    let mut member = archive.by_name(GOOD[3].0).expect("RECORD");
    member.read_to_end(&mut record).expect("read");
    members[3].1 = &record;
    assert!(read(&zip_of(members), DistKind::Wheel).is_ok());
}

#[test]
fn entry_points_wheel_versions_and_licences_are_looked_at() {
    let with = |name, bytes| zip_of(GOOD.into_iter().chain([(name, bytes)]));
    let bad = refusal(&with("demo-1.0.dist-info/entry_points.txt", b"main\n")).to_string();
    assert!(bad.contains("line 1 of its entry_points.txt"), "{bad}");
    let future = GOOD.map(|(name, bytes)| match name {
        "demo-1.0.dist-info/WHEEL" => (name, &b"Wheel-Version: 2.0\n"[..]),
        _ => (name, bytes),
    });
    let future = refusal(&zip_of(future)).to_string();
    assert!(
        future.contains("a WHEEL of version `2.0`; expected"),
        "{future}"
    );
    let licensed = with("demo-1.0.dist-info/licenses/a/LICENSE", b"MIT\n");
    let found = read_all(&licensed, DistKind::Wheel, LIMITS).expect("a good wheel");
    assert_eq!(found.folder, "demo-1.0.dist-info");
    assert_eq!(
        found.licenses.into_iter().collect::<Vec<_>>(),
        ["a/LICENSE"]
    );
}

#[test]
fn the_limits_are_those_given() {
    let limits = |members, unpacked| super::super::Limits {
        members,
        unpacked: bytesize::ByteSize(unpacked),
    };
    let refused = |limits| {
        let result = read_all(&zip_of(GOOD), DistKind::Wheel, limits);
        result.expect_err("too large").to_string()
    };
    assert!(refused(limits(3, 1 << 20)).contains("too many members; expected at most 3"));
    assert!(refused(limits(4, 100)).contains("too many bytes; expected at most 100 B"));
    assert!(read_all(&zip_of(GOOD), DistKind::Wheel, limits(4, 2000)).is_ok());
}

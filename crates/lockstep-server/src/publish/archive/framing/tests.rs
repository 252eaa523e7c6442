//! Archives made byte by byte, as no tool would.

use std::cell::OnceCell;
use std::io::Write as _;

use flate2::Crc;

use super::*;

/// A stored member and what may be odd about it.
#[derive(Clone, Default)]
struct Made {
    name: &'static str,
    before: &'static [u8],
    extra: Vec<u8>,
    comment: &'static [u8],
    flags: u16,
    /// Behind the data.
    descriptor: Vec<u8>,
}

const DATA: &[u8] = b"data";

fn made(name: &'static str) -> Made {
    Made {
        name,
        ..Made::default()
    }
}

fn crc() -> u32 {
    let mut crc = Crc::new();
    crc.update(DATA);
    crc.sum()
}

fn put(bytes: &mut Vec<u8>, numbers: &[(u64, usize)]) {
    for (number, length) in numbers {
        bytes.extend_from_slice(&number.to_le_bytes()[..*length]);
    }
}

/// The archive with `hidden` between the last member and the directory, and between the directory
/// and its end.
fn zip(members: &[Made], hidden: [&[u8]; 2], end: impl Fn(u64, u64, u64) -> Vec<u8>) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        bytes.extend_from_slice(member.before);
        let start = bytes.len() as u64;
        let length = DATA.len() as u64;
        let (name, extra) = (member.name.len() as u64, member.extra.len() as u64);
        let sizes = [
            (u64::from(crc()), 4),
            (length, 4),
            (length, 4),
            (name, 2),
            (extra, 2),
        ];
        let head = [(20, 2), (u64::from(member.flags), 2), (0, 2), (0, 4)];
        bytes.extend_from_slice(b"PK\x03\x04");
        put(&mut bytes, &head);
        put(&mut bytes, &sizes);
        bytes.extend_from_slice(member.name.as_bytes());
        bytes.extend_from_slice(&member.extra);
        bytes.extend_from_slice(DATA);
        bytes.extend_from_slice(&member.descriptor);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        put(&mut directory, &head);
        put(&mut directory, &sizes);
        let comment = member.comment.len() as u64;
        put(
            &mut directory,
            &[(comment, 2), (0, 2), (0, 2), (0, 4), (start, 4)],
        );
        directory.extend_from_slice(member.name.as_bytes());
        directory.extend_from_slice(&member.extra);
        directory.extend_from_slice(member.comment);
    }
    bytes.extend_from_slice(hidden[0]);
    let start = bytes.len() as u64;
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(hidden[1]);
    let end = end(members.len() as u64, directory.len() as u64, start);
    bytes.extend_from_slice(&end);
    bytes
}

fn plain_end(members: u64, length: u64, start: u64) -> Vec<u8> {
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    put(
        &mut end,
        &[(members, 2), (members, 2), (length, 4), (start, 4), (0, 2)],
    );
    end
}

/// With ZIP64 records, whose own length is said to be `said`.
fn large_end(members: u64, length: u64, start: u64, said: u64) -> Vec<u8> {
    let mut end = b"PK\x06\x06".to_vec();
    put(
        &mut end,
        &[
            (said, 8),
            (45, 2),
            (45, 2),
            (0, 4),
            (0, 4),
            (members, 8),
            (members, 8),
        ],
    );
    put(&mut end, &[(length, 8), (start, 8)]);
    end.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    put(&mut end, &[(start + length, 8), (1, 4)]);
    end.extend_from_slice(&plain_end(0xffff, ELSEWHERE, ELSEWHERE));
    end
}

fn frame(bytes: &[u8]) -> Result<(), String> {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("written");
    let fault = OnceCell::new();
    let mut disk = BufReader::new(Disk {
        file,
        fault: &fault,
    });
    check(&mut disk, bytes.len() as u64, |_| Ok(())).map_err(|error| error.to_string())
}

fn of(members: &[Made]) -> Result<(), String> {
    frame(&zip(members, [b"", b""], plain_end))
}

fn says(result: Result<(), String>, sentence: &str) {
    let message = result.expect_err(sentence);
    assert!(message.contains(sentence), "{message}");
}

#[test]
fn what_tools_write_is_in_its_frame() {
    assert_eq!(of(&[]), Ok(()));
    assert_eq!(of(&[made("a"), made("b")]), Ok(()));
    let large = |members, length, start| large_end(members, length, start, 44);
    assert_eq!(frame(&zip(&[made("a")], [b"", b""], large)), Ok(()));
    for (signature, width) in [
        (&b"PK\x07\x08"[..], 4),
        (b"", 4),
        (b"PK\x07\x08", 8),
        (b"", 8),
    ] {
        let mut descriptor = signature.to_vec();
        let length = DATA.len() as u64;
        put(
            &mut descriptor,
            &[(u64::from(crc()), 4), (length, width), (length, width)],
        );
        let streamed = Made {
            flags: HAS_DESCRIPTOR,
            descriptor,
            ..made("a")
        };
        assert_eq!(of(&[streamed.clone(), made("b")]), Ok(()));
        assert_eq!(of(&[made("b"), streamed]), Ok(()));
    }
}

#[test]
fn bytes_that_belong_to_nobody_are_refused() {
    let gap = Made {
        before: b"gap",
        ..made("b")
    };
    says(
        of(&[made("a"), gap.clone()]),
        "there is data between its members",
    );
    says(of(&[gap, made("a")]), "there is data between its members");
    let hidden = zip(&[made("a")], [b"hidden", b""], plain_end);
    says(frame(&hidden), "there is data before its central directory");
    let hidden = zip(&[made("a")], [b"", b"hidden"], plain_end);
    says(frame(&hidden), "does not end at the end record");
    let fewer = |_, length, start| plain_end(1, length, start);
    says(
        frame(&zip(&[made("a"), made("b")], [b"", b""], fewer)),
        "more than it says",
    );
    let more = |_, length, start| plain_end(3, length, start);
    // What follows is shorter than a header, or is none.
    let (after, padding) = (
        zip(&[made("a")], [b"", b""], more),
        [b"".as_slice(), &[0; 60]],
    );
    says(frame(&after), "failed to fill whole buffer");
    let padded = |_, length, start| plain_end(2, length + 60, start);
    says(
        frame(&zip(&[made("a")], padding, padded)),
        "not what it says",
    );
    let longer = |members, length, start| large_end(members, length, start, 50);
    says(
        frame(&zip(&[made("a")], [b"", b""], longer)),
        "ZIP64 records contradict",
    );
    let commented = Made {
        comment: b"c",
        ..made("a")
    };
    says(of(&[commented]), "a member has a comment");
    let mut whole = zip(&[made("a")], [b"", b""], plain_end);
    let length = whole.len();
    whole[length - 2] = 1;
    whole.push(b'c');
    says(frame(&whole), "it has a comment");
}

#[test]
fn two_answers_to_one_question_are_refused() {
    let with_extra = |id: u16, times: usize| {
        let mut extra = Vec::new();
        for _ in 0..times {
            put(&mut extra, &[(u64::from(id), 2), (8, 2), (4, 8)]);
        }
        Made { extra, ..made("a") }
    };
    assert_eq!(of(&[with_extra(1, 1)]), Ok(()));
    says(of(&[with_extra(1, 2)]), "a member has its sizes twice");
    says(of(&[with_extra(0x7075, 1)]), "a member has two names");
    let broken = Made {
        extra: vec![1, 0, 9, 0, 0],
        ..made("a")
    };
    says(of(&[broken]), "a broken extra field");
    says(of(&[made("a\u{7f}")]), "a control character in its name");
    let mut descriptor = b"PK\x07\x08".to_vec();
    put(&mut descriptor, &[(u64::from(crc()), 4), (4, 4), (5, 4)]);
    let lying = Made {
        flags: HAS_DESCRIPTOR,
        descriptor,
        ..made("a")
    };
    says(of(&[lying]), "a data descriptor contradicts");
    let none = Made {
        flags: HAS_DESCRIPTOR,
        ..made("a")
    };
    says(of(&[none]), "a member has no data descriptor");
    let split = |members, length, start| {
        let mut end = plain_end(members, length, start);
        end[8] = 9;
        end
    };
    says(
        frame(&zip(&[made("a")], [b"", b""], split)),
        "a part of several",
    );
}

//! RECORD: the list of a wheel's files with their hashes and sizes (PEP 376, PEP 427).
//!
//! Not here: reading the archive. The caller feeds each member to its [`Witness`].
//!
//! Invariant: a parsed [`Record`] says at most one thing of a path.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// What is wrong with a RECORD, or with a file that it speaks of.
///
/// Paths and values are cut short and made fit for one line by the caller's choice of `shown`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not lines of three values.
    #[error("line {0} of its RECORD is not `path,hash,size`")]
    Line(usize),
    /// The hash is of a kind that PEP 427 does not allow, or is none.
    #[error("its RECORD has no SHA-256, SHA-384 or SHA-512 hash of `{0}`")]
    Hash(String),
    /// The same path twice, with different hashes or sizes.
    #[error("its RECORD contradicts itself on `{0}`")]
    Twice(String),
    /// A file that is not in the list.
    #[error("its RECORD does not list `{0}`")]
    Unlisted(String),
    /// A file that is only in the list.
    #[error("its RECORD lists `{0}`, which is not in the archive")]
    Absent(String),
    /// The bytes are others.
    #[error("the hash of `{0}` is not the one in its RECORD")]
    OtherHash(String),
    /// There are more or fewer bytes.
    #[error("`{path}` has {seen} bytes, and its RECORD says {listed}")]
    OtherSize {
        /// The file.
        path: String,
        /// Its size.
        seen: u64,
        /// The size in the list.
        listed: u64,
    },
}

/// The list, by path.
#[derive(Debug, Clone, Default)]
pub struct Record {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    hash: Hash,
    size: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hash {
    None,
    Sha256(Vec<u8>),
    Sha384(Vec<u8>),
    Sha512(Vec<u8>),
}

impl Record {
    /// Reads RECORD as it stands in the wheel whose metadata folder is `dist_info`. RECORD itself and
    /// its signatures need no hash (PEP 427).
    pub fn parse(bytes: &[u8], dist_info: &str) -> Result<Self, RecordError> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut entries = BTreeMap::new();
        for (index, row) in reader.records().enumerate() {
            let line = || RecordError::Line(index + 1);
            let row = row.map_err(|_| line())?;
            let [path, hash, size] = row.iter().collect::<Vec<_>>()[..] else {
                return Err(line());
            };
            let size = match size.trim() {
                "" => None,
                size => Some(size.parse().map_err(|_| line())?),
            };
            let unsigned = is_record_or_signature(path, dist_info);
            let hash = match hash.trim() {
                "" if unsigned => Hash::None,
                hash => parse_hash(hash).ok_or_else(|| RecordError::Hash(path.to_owned()))?,
            };
            let entry = Entry { hash, size };
            if let Some(other) = entries.insert(path.to_owned(), entry.clone())
                && other != entry
            {
                return Err(RecordError::Twice(path.to_owned()));
            }
        }
        entries.retain(|path, _| !is_record_or_signature(path, dist_info));
        Ok(Self { entries })
    }

    /// The witness of the member at `path`, which leaves the list; `None` for one that need not be
    /// in it.
    pub fn witness(&mut self, path: &str, dist_info: &str) -> Result<Option<Witness>, RecordError> {
        if is_record_or_signature(path, dist_info) {
            return Ok(None);
        }
        let entry = self.entries.remove(path);
        let entry = entry.ok_or_else(|| RecordError::Unlisted(path.to_owned()))?;
        let hasher = match &entry.hash {
            Hash::Sha384(_) => Hasher::Sha384(Sha384::new()),
            Hash::Sha512(_) => Hasher::Sha512(Sha512::new()),
            Hash::Sha256(_) | Hash::None => Hasher::Sha256(Sha256::new()),
        };
        Ok(Some(Witness {
            path: path.to_owned(),
            entry,
            hasher,
            size: 0,
        }))
    }

    /// Refuses paths that no member was found for.
    pub fn complete(self) -> Result<(), RecordError> {
        match self.entries.into_keys().next() {
            None => Ok(()),
            Some(path) => Err(RecordError::Absent(path)),
        }
    }
}

/// Sees one file's bytes and says whether they are those of the list.
#[derive(Debug)]
pub struct Witness {
    path: String,
    entry: Entry,
    hasher: Hasher,
    size: u64,
}

#[derive(Debug)]
enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Witness {
    /// The next bytes of the file.
    pub fn see(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        match &mut self.hasher {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha384(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// There are no more bytes.
    pub fn judge(self) -> Result<(), RecordError> {
        if let Some(listed) = self.entry.size
            && listed != self.size
        {
            return Err(RecordError::OtherSize {
                path: self.path,
                seen: self.size,
                listed,
            });
        }
        let found = match self.hasher {
            Hasher::Sha256(hasher) => Hash::Sha256(hasher.finalize().to_vec()),
            Hasher::Sha384(hasher) => Hash::Sha384(hasher.finalize().to_vec()),
            Hasher::Sha512(hasher) => Hash::Sha512(hasher.finalize().to_vec()),
        };
        if found == self.entry.hash {
            Ok(())
        } else {
            Err(RecordError::OtherHash(self.path))
        }
    }
}

/// `sha256=<base64>`, whose padding should not be there and sometimes is.
fn parse_hash(text: &str) -> Option<Hash> {
    let (algorithm, digest) = text.split_once('=')?;
    let digest = BASE64_URL_SAFE_NO_PAD
        .decode(digest.trim_end_matches('='))
        .ok()?;
    match (algorithm, digest.len()) {
        ("sha256", 32) => Some(Hash::Sha256(digest)),
        ("sha384", 48) => Some(Hash::Sha384(digest)),
        ("sha512", 64) => Some(Hash::Sha512(digest)),
        _ => None,
    }
}

fn is_record_or_signature(path: &str, dist_info: &str) -> bool {
    let file = path.strip_prefix(dist_info);
    let file = file.and_then(|file| file.strip_prefix('/'));
    file.is_some_and(|file| ["RECORD", "RECORD.jws", "RECORD.p7s"].contains(&file))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"; // of "abc"

    fn check(record: &str, members: &[(&str, &str)]) -> Result<(), RecordError> {
        let mut record = Record::parse(record.as_bytes(), "a-1.dist-info")?;
        for (path, bytes) in members {
            if let Some(mut witness) = record.witness(path, "a-1.dist-info")? {
                witness.see(bytes.as_bytes());
                witness.judge()?;
            }
        }
        record.complete()
    }

    #[test]
    fn what_is_listed_and_there_is_good() {
        let members = [
            ("a.py", "abc"),
            ("b,\"c\".py", "abc"),
            ("a-1.dist-info/RECORD", "x"),
        ];
        let record = format!(
            "a.py,{HASH},3\r\na.py,{HASH},3\n\"b,\"\"c\"\".py\",{HASH}=,\na-1.dist-info/RECORD,,\n\
             a-1.dist-info/RECORD.jws,,\n"
        );
        assert_eq!(check(&record, &members), Ok(()));
        let sha512 = "sha512=3a81oZNherrMQXNJriBBMRLm-k6JqX6iCp7u5ktV05ohkpkqJ0_BqDa6PCOj_uu9RU1EI2Q86A4qmslPpUyknw";
        assert_eq!(
            check(&format!("a.py,{sha512},3\n"), &[("a.py", "abc")]),
            Ok(())
        );
    }

    #[test]
    fn every_difference_is_told() {
        let path = || "a.py".to_owned();
        let members = [("a.py", "abc")];
        let good = format!("a.py,{HASH},3\n");
        let size = RecordError::OtherSize {
            path: path(),
            seen: 3,
            listed: 4,
        };
        for (record, error) in [
            (String::new(), RecordError::Unlisted(path())),
            (
                format!("{good}b.py,{HASH},3\n"),
                RecordError::Absent("b.py".to_owned()),
            ),
            (format!("a.py,{HASH},4\n"), size),
            (good.replace("ungW", "ungX"), RecordError::OtherHash(path())),
            (format!("{good}a.py,{HASH},4\n"), RecordError::Twice(path())),
            ("a.py,,3\n".to_owned(), RecordError::Hash(path())),
            (
                "a.py,md5=kAFQmDzST7DWlj99KOF_cg,3\n".to_owned(),
                RecordError::Hash(path()),
            ),
            ("a.py,sha256=ungW,3\n".to_owned(), RecordError::Hash(path())),
            (format!("{good}a.py,x\n"), RecordError::Line(2)),
            (format!("a.py,{HASH},three\n"), RecordError::Line(1)),
        ] {
            assert_eq!(check(&record, &members), Err(error), "{record}");
        }
        assert_eq!(
            Record::parse(b"\xff,,\n", "a").map(|_| ()),
            Err(RecordError::Line(1))
        );
    }
}

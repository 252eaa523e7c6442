//! Digests: fixed-size hashes that print as lower-case hex, and the hasher that computes an
//! upload's three at once.
//!
//! Not here: which bytes are hashed. That is the business of [`crate::page`] and
//! [`crate::manifest`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// A text that is not the hex form of a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{seen}` is not a {name} digest: expected {expected} hexadecimal digits")]
pub struct DigestError {
    seen: String,
    name: &'static str,
    expected: usize,
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $type:ident, $bytes:literal, $name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type([u8; $bytes]);

        impl $type {
            /// The digest with these raw bytes, as a database stores them; `None` for a wrong length.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// The raw bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<[u8; $bytes]> for $type {
            fn from(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}", $name, hex::encode(self.0))
            }
        }

        /// Accepts either case, as clients send both.
        impl FromStr for $type {
            type Err = DigestError;

            fn from_str(text: &str) -> Result<Self, DigestError> {
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError {
                    seen: text.chars().take(140).collect(),
                    name: $name,
                    expected: $bytes * 2,
                })?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

digest_type!(
    /// SHA-256: pages, content, manifests, files.
    Sha256, 32, "sha256"
);
digest_type!(
    /// BLAKE2b with 256 bits: the address of a file.
    Blake2b256, 32, "blake2b_256"
);
digest_type!(
    /// MD5: served and checked for old clients only, never relied on.
    Md5, 16, "md5"
);

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl Md5 {
    /// The hash of `bytes`, for those who tell no better one.
    pub fn of(bytes: &[u8]) -> Self {
        Self(md5::Md5::digest(bytes).into())
    }
}

/// What is known of a file's bytes once all of them went by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigests {
    /// Length in bytes.
    pub size: u64,
    /// For old clients.
    pub md5: Md5,
    /// What pages and changelog name.
    pub sha256: Sha256,
    /// What the file is addressed by.
    pub blake2b_256: Blake2b256,
}

/// Computes all digests of a stream in one pass, in constant memory.
#[derive(Clone, Default)]
pub struct FileHasher {
    size: u64,
    md5: md5::Md5,
    sha256: sha2::Sha256,
    blake2b_256: blake2::Blake2b256,
}

impl FileHasher {
    /// Takes the next bytes of the stream.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.sha256.update(bytes);
        self.blake2b_256.update(bytes);
    }

    /// Bytes seen so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digests of all that went by.
    pub fn finish(self) -> FileDigests {
        FileDigests {
            size: self.size,
            md5: Md5(self.md5.finalize().into()),
            sha256: Sha256(self.sha256.finalize().into()),
            blake2b_256: Blake2b256(self.blake2b_256.finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_digests_of_abc_are_the_published_ones() {
        let mut hasher = FileHasher::default();
        hasher.update(b"a");
        hasher.update(b"bc");
        let digests = hasher.finish();
        assert_eq!(digests.size, 3);
        assert_eq!(digests.md5.to_string(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            digests.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            digests.blake2b_256.to_string(),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
        );
    }

    #[test]
    fn garbage_is_refused_and_both_cases_are_read() {
        assert!("xyz".parse::<Sha256>().is_err());
        assert!("900150983cd24fb0".parse::<Md5>().is_err());
        let upper = "900150983CD24FB0D6963F7D28E17F72"
            .parse::<Md5>()
            .expect("hex");
        assert_eq!(upper.to_string(), "900150983cd24fb0d6963f7d28e17f72");
    }
}

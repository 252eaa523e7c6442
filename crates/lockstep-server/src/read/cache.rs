//! A bounded cache of immutable bytes, by hash. It can't be stale: a hash names one text for ever.
//!
//! A coded form is made once, on its first use, and kept beside the plain one: compressing for each
//! request would cost many times as much as answering it (ADR 0015).

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use lockstep_core::digest::Sha256;
use moka::future::Cache;
use tokio::sync::OnceCell;

use super::negotiate::Coding;

/// How many bytes of pages a process keeps.
const CAPACITY: u64 = 256 * 1024 * 1024;

/// A text with its hash, and its coded forms once somebody asked for them.
pub struct Representation {
    /// The identity bytes: what the hash is of.
    pub identity: Bytes,
    /// Their SHA-256.
    pub sha256: Sha256,
    gzip: OnceCell<Option<Coded>>,
    zstd: OnceCell<Option<Coded>>,
}

/// A coded form.
#[derive(Debug, Clone)]
pub struct Coded {
    /// What goes over the wire.
    pub bytes: Bytes,
    /// The SHA-256 of these bytes, not of the text.
    pub sha256: Sha256,
}

impl Representation {
    /// A representation of these bytes.
    pub fn new(identity: Bytes, sha256: Sha256) -> Self {
        Self {
            identity,
            sha256,
            gzip: OnceCell::new(),
            zstd: OnceCell::new(),
        }
    }

    /// The text in a coding; `None`: as it is. Concurrent first askers wait for one compression.
    pub async fn coded(&self, coding: Coding) -> Option<Coded> {
        let (cell, compress): (_, Compress) = match coding {
            Coding::Identity => return None,
            Coding::Gzip => (&self.gzip, gzip),
            Coding::Zstd => (&self.zstd, zstd),
        };
        let make = || async {
            let plain = self.identity.clone();
            let made = tokio::task::spawn_blocking(move || {
                let bytes = Bytes::from(compress(&plain).ok()?);
                let sha256 = Sha256::of(&bytes);
                Some(Coded { bytes, sha256 })
            });
            made.await.ok().flatten()
        };
        cell.get_or_init(make).await.clone()
    }
}

type Compress = fn(&[u8]) -> std::io::Result<Vec<u8>>;

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(6));
    encoder.write_all(plain)?;
    encoder.finish()
}

/// At this level no frame needs a window above the 8 MiB that every client must have (RFC 9659).
fn zstd(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    zstd::bulk::compress(plain, 6)
}

/// The cache.
#[derive(Clone)]
pub struct PageCache {
    by_hash: Cache<Sha256, Arc<Representation>>,
    by_view: Cache<View, Arc<Representation>>,
}

/// A text that is a function of this key alone: made from rows that a serial pins down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// Which text.
    pub what: String,
    /// The serial that pins its rows down.
    pub serial: u64,
}

impl Default for PageCache {
    fn default() -> Self {
        fn weight<K>(_: &K, value: &Arc<Representation>) -> u32 {
            // The coded forms come later; a third each is a generous guess of them.
            u32::try_from(value.identity.len() / 3 * 5 + 300).unwrap_or(u32::MAX)
        }
        Self {
            by_hash: Cache::builder()
                .max_capacity(CAPACITY)
                .weigher(weight)
                .build(),
            by_view: Cache::builder()
                .max_capacity(CAPACITY / 2)
                .weigher(weight)
                .build(),
        }
    }
}

impl PageCache {
    /// The text with this hash, if it is here.
    pub async fn get(&self, hash: Sha256) -> Option<Arc<Representation>> {
        self.by_hash.get(&hash).await
    }

    /// Keeps a text under its hash. Of several who bring it at once the first is kept for all, so that
    /// its coded forms are made once.
    pub async fn put(&self, representation: Representation) -> Arc<Representation> {
        let entry = self.by_hash.entry(representation.sha256);
        let kept = entry.or_insert_with(async { Arc::new(representation) });
        kept.await.into_value()
    }

    /// The text of a view, if it is here.
    pub async fn view(&self, view: &View) -> Option<Arc<Representation>> {
        self.by_view.get(view).await
    }

    /// Keeps the text of a view.
    pub async fn put_view(&self, view: View, bytes: Bytes) -> Arc<Representation> {
        let hash = Sha256::of(&bytes);
        let made = async { Arc::new(Representation::new(bytes, hash)) };
        self.by_view
            .entry(view)
            .or_insert_with(made)
            .await
            .into_value()
    }
}

//! A bounded cache of immutable bytes, by hash. It can't be stale: a hash names one text for ever.
//!
//! The compressed form is made once, on its first use, and kept beside the plain one: compressing
//! per request would cost two orders of magnitude (facts: nginx on the fly, 374/s instead of 53,900).

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use lockstep_core::digest::Sha256;
use moka::future::Cache;
use tokio::sync::OnceCell;

/// How many bytes of pages a process keeps.
const CAPACITY: u64 = 256 * 1024 * 1024;

/// A text with its hash, and its compressed form once somebody asked for it.
pub struct Representation {
    /// The identity bytes: what the hash is of.
    pub identity: Bytes,
    /// Their SHA-256.
    pub sha256: Sha256,
    gzip: OnceCell<Bytes>,
}

impl Representation {
    /// A representation of these bytes.
    pub fn new(identity: Bytes, sha256: Sha256) -> Self {
        Self {
            identity,
            sha256,
            gzip: OnceCell::new(),
        }
    }

    /// The gzip form. Concurrent first askers wait for one compression.
    pub async fn gzip(&self) -> Bytes {
        let compress = || async {
            let plain = self.identity.clone();
            tokio::task::spawn_blocking(move || compressed(&plain))
                .await
                .unwrap_or_default()
        };
        self.gzip.get_or_init(compress).await.clone()
    }
}

fn compressed(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(6));
    // Writing to a vector does not fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default().into()
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
            // The compressed form comes later; a third is a generous guess of it.
            u32::try_from(value.identity.len() / 3 * 4 + 200).unwrap_or(u32::MAX)
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

    /// Keeps a text under its hash.
    pub async fn put(&self, representation: Representation) -> Arc<Representation> {
        let kept = Arc::new(representation);
        self.by_hash.insert(kept.sha256, kept.clone()).await;
        kept
    }

    /// The text of a view, if it is here.
    pub async fn view(&self, view: &View) -> Option<Arc<Representation>> {
        self.by_view.get(view).await
    }

    /// Keeps the text of a view.
    pub async fn put_view(&self, view: View, bytes: Bytes) -> Arc<Representation> {
        let hash = Sha256::of(&bytes);
        let kept = Arc::new(Representation::new(bytes, hash));
        self.by_view.insert(view, kept.clone()).await;
        kept
    }
}

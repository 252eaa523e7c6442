//! Where files are kept: a local folder or an object store, by digest, written once, never changed.
//!
//! Invariant: when [`Blobs::keep`] returns, the bytes survive power loss. On a local disk that means
//! that file and folders are fsynced; `object_store` does it when told to (`with_fsync`).

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use lockstep_core::digest::Blake2b256;
use lockstep_core::filename::DistFilename;
use lockstep_core::serial::Serial;
use lockstep_store::retention::BlobName;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, WriteMultipart,
};
use tokio::io::AsyncReadExt as _;

/// Where the high-water mark of serials is kept, beside the blobs.
const HIGH_WATER: &str = "high-water";

/// How much of a file is read and sent at a time.
const CHUNK: usize = 8 * 1024 * 1024;

/// A blob that could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("no such blob")]
    NotFound,
    /// The disk or the bucket is full.
    #[error("no space left for the blob")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else: try again later.
    #[error("the blob store failed")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The setting makes no sense.
    #[error(
        "`blobs` is `{url}`: {why}; expected file:///folder, s3://bucket/prefix, gs://… or az://…"
    )]
    Setting {
        /// As given.
        url: String,
        /// What is wrong.
        why: String,
    },
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return Self::NotFound;
        }
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if inner.downcast_ref::<std::io::Error>().is_some_and(is_full) {
                return Self::Full(Box::new(error));
            }
            cause = inner.source();
        }
        Self::Unavailable(Box::new(error))
    }
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        if is_full(&error) {
            Self::Full(Box::new(error))
        } else {
            Self::Unavailable(Box::new(error))
        }
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Which of a distribution's two blobs is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The distribution itself.
    File,
    /// Its core metadata (PEP 658).
    Metadata,
}

/// A blob being read.
pub struct Reading {
    /// Length of the whole blob in bytes.
    pub size: u64,
    /// Which of them are coming.
    pub range: Range<u64>,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, object_store::Error>>,
}

/// The blob store.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    spool: PathBuf,
}

impl Blobs {
    /// Opens the store named by the setting `blobs`; a local folder is created.
    pub fn open(url: &str) -> Result<Self, BlobError> {
        let setting = |why: String| BlobError::Setting {
            url: url.to_owned(),
            why,
        };
        if let Some(path) = url.strip_prefix("file://") {
            let root = PathBuf::from(path);
            if !root.is_absolute() {
                return Err(setting("the folder must be absolute".to_owned()));
            }
            // Uploads are spooled on the same disk, so that a full disk is met before the commit.
            let spool = root.join(".spool");
            std::fs::create_dir_all(&spool)
                .map_err(|error| setting(format!("the folder can't be created: {error}")))?;
            let store = LocalFileSystem::new_with_prefix(&root)?.with_fsync(true);
            return Ok(Self {
                store: Arc::new(store),
                spool,
            });
        }
        let parsed = url
            .parse()
            .map_err(|error| setting(format!("not a URL ({error})")))?;
        // Credentials come from the providers' own environment variables.
        #[expect(
            clippy::disallowed_methods,
            reason = "the providers' variables, not ours"
        )]
        let environment = std::env::vars().map(|(key, value)| (key.to_lowercase(), value));
        let (store, prefix) = object_store::parse_url_opts(&parsed, environment)
            .map_err(|error| setting(error.to_string()))?;
        Ok(Self {
            store: Arc::new(PrefixStore::new(store, prefix)),
            spool: std::env::temp_dir(),
        })
    }

    /// Where uploads are spooled until they are known to be good.
    pub fn spool(&self) -> &Path {
        &self.spool
    }

    /// Removes what a crash left in a local spool more than a day ago.
    pub fn tidy_spool(&self) -> std::io::Result<()> {
        if self.spool == std::env::temp_dir() {
            return Ok(());
        }
        for entry in std::fs::read_dir(&self.spool)? {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age.as_secs() > 24 * 3600 {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Keeps a spooled file under its digest. Repeatable: the same digest is the same bytes.
    pub async fn keep(
        &self,
        spooled: &Path,
        digest: &Blake2b256,
        filename: &DistFilename,
    ) -> Result<(), BlobError> {
        let key = key(digest, filename, Part::File);
        let mut file = tokio::fs::File::open(spooled).await?;
        let upload = self.store.put_multipart(&key).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, CHUNK);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            // Two parts in flight at most: memory does not grow with the file.
            writer.wait_for_capacity(2).await?;
            writer.write(&buffer[..read]);
        }
        writer.finish().await?;
        Ok(())
    }

    /// Keeps the metadata beside the file.
    pub async fn keep_metadata(
        &self,
        bytes: Bytes,
        digest: &Blake2b256,
        filename: &DistFilename,
    ) -> Result<(), BlobError> {
        self.store
            .put(&key(digest, filename, Part::Metadata), bytes.into())
            .await?;
        Ok(())
    }

    /// The highest serial that was noted as announced, outside the database; zero if none ever was.
    pub async fn high_water(&self) -> Result<Serial, BlobError> {
        let marks: Vec<ObjectMeta> = self
            .store
            .list(Some(&Key::from(HIGH_WATER)))
            .try_collect()
            .await?;
        let serials = marks
            .iter()
            .filter_map(|mark| mark.location.filename()?.parse().ok());
        Ok(serials.max().unwrap_or(Serial::ZERO))
    }

    /// Notes that serials up to `serial` may have been told. One object a mark, the highest counts: so
    /// two processes can't overwrite each other's, and no half-written mark can be read.
    pub async fn raise_high_water(&self, serial: Serial) -> Result<(), BlobError> {
        let mark = |serial: Serial| Key::from(format!("{HIGH_WATER}/{:020}", serial.get()));
        self.store.put(&mark(serial), Bytes::new().into()).await?;
        // Older marks say nothing more; one that can't be removed does no harm.
        let marks: Vec<ObjectMeta> = self
            .store
            .list(Some(&Key::from(HIGH_WATER)))
            .try_collect()
            .await?;
        for old in marks.iter().filter(|old| old.location < mark(serial)) {
            let _ = self.store.delete(&old.location).await;
        }
        Ok(())
    }

    /// The blobs that are older than a day, for the walk that finds orphans.
    #[expect(
        clippy::disallowed_methods,
        reason = "compared with the blob store's clock, not ours"
    )]
    pub fn older_than_a_day(&self) -> BlobWalk {
        let before = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
        BlobWalk {
            listing: self.store.list(None),
            before: Some(before),
        }
    }

    /// All blobs.
    pub fn all(&self) -> BlobWalk {
        BlobWalk {
            listing: self.store.list(None),
            before: None,
        }
    }

    /// Deletes a blob; one that is gone already is fine.
    pub async fn delete(&self, (digest, name): &BlobName) -> Result<(), BlobError> {
        let hex = digest.to_string();
        let key = Key::from(format!("{}/{}/{}/{name}", &hex[..2], &hex[2..4], &hex[4..]));
        match self.store.delete(&key).await.map_err(BlobError::from) {
            Err(BlobError::NotFound) => Ok(()),
            result => result,
        }
    }

    /// Reads a blob or a part of it.
    pub async fn read(
        &self,
        digest: &Blake2b256,
        filename: &DistFilename,
        part: Part,
        range: Option<GetRange>,
    ) -> Result<Reading, BlobError> {
        let options = GetOptions {
            range,
            ..GetOptions::default()
        };
        let result = self
            .store
            .get_opts(&key(digest, filename, part), options)
            .await?;
        Ok(Reading {
            size: result.meta.size,
            range: result.range.clone(),
            stream: result.into_stream().map_err(|error| error).boxed(),
        })
    }
}

/// A walk over the blobs, or over those before a moment.
pub struct BlobWalk {
    listing: BoxStream<'static, Result<ObjectMeta, object_store::Error>>,
    before: Option<jiff::Timestamp>,
}

impl BlobWalk {
    /// The next thousand of them; `None`: that was all.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<BlobName>>, BlobError> {
        let mut batch = Vec::new();
        while let Some(object) = self.listing.try_next().await? {
            let modified = object.last_modified.timestamp();
            let wanted = self
                .before
                .is_none_or(|before| modified < before.as_second());
            if let Some(blob) = parse_key(&object.location).filter(|_| wanted) {
                batch.push(blob);
                if batch.len() == 1000 {
                    break;
                }
            }
        }
        Ok(if batch.is_empty() { None } else { Some(batch) })
    }
}

/// `None` for what is not a blob of ours, such as the spool.
fn parse_key(key: &Key) -> Option<BlobName> {
    let parts: Vec<_> = key.parts().collect();
    let [a, b, rest, name] = parts.as_slice() else {
        return None;
    };
    let digest = [a.as_ref(), b.as_ref(), rest.as_ref()]
        .concat()
        .parse()
        .ok()?;
    Some((digest, name.as_ref().to_owned()))
}

fn key(digest: &Blake2b256, filename: &DistFilename, part: Part) -> Key {
    let hex = digest.to_string();
    let suffix = if part == Part::Metadata {
        ".metadata"
    } else {
        ""
    };
    Key::from(format!(
        "{}/{}/{}/{filename}{suffix}",
        &hex[..2],
        &hex[2..4],
        &hex[4..]
    ))
}

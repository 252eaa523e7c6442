//! Files of releases, and every file name ever used.

use jiff::Timestamp;
use lockstep_core::digest::{Blake2b256, FileDigests, Md5, Sha256};
use lockstep_core::filename::{DistFilename, DistKind};
use lockstep_core::manifest::FileHash;
use lockstep_core::version::{RequiresPython, Version};
use tokio_postgres::Row;

use crate::decode::{
    blake2b_256, filename, get, md5, parsed, parsed_option, sha256, sha256_option, size,
};
use crate::query::{
    self, Client, FILES_AFTER, FILES_COUNT, FILES_CREATE, FILES_FIND, FILES_OF_PROJECT,
    FILES_REGISTER_NAME, FILES_REMOVE, FILES_REMOVE_OF_PROJECT, FILES_REMOVE_OF_RELEASE,
    FILES_WEIGH,
};
use crate::{StoreError, Transaction};

/// The file name was used before, by a file that is gone or is being uploaded right now.
pub const NAME_TAKEN: &str = "file_name_key";
/// The same bytes are there under another name.
pub const BYTES_TAKEN: &str = "file_digest_key";

/// The hashes of the file with this name, where there is one.
pub async fn find(
    client: &impl Client,
    filename: &DistFilename,
) -> Result<Option<(Sha256, Blake2b256)>, StoreError> {
    let row = query::row(client, FILES_FIND, &[&filename.as_str()]).await?;
    row.map(|row| Ok((sha256(&row, "sha256")?, blake2b_256(&row, "blake2b_256")?)))
        .transpose()
}

/// Takes a file name for ever; [`StoreError::Conflict`] with [`NAME_TAKEN`] if it ever was.
pub async fn register_name(
    transaction: &Transaction<'_>,
    filename: &DistFilename,
    sha256: &Sha256,
) -> Result<(), StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
        [&filename.as_str(), &sha256.as_bytes()];
    query::execute(transaction, FILES_REGISTER_NAME, &parameters).await?;
    Ok(())
}

/// A file to be kept.
#[derive(Debug, Clone)]
pub struct NewFile<'a> {
    /// The release's row.
    pub release: i64,
    /// The project's row.
    pub project: i64,
    /// Its name.
    pub filename: &'a DistFilename,
    /// Its digests and size.
    pub digests: &'a FileDigests,
    /// `Requires-Python` of its own metadata.
    pub requires_python: Option<&'a RequiresPython>,
    /// Hash of the `.metadata` beside it.
    pub metadata_sha256: Option<Sha256>,
    /// When it came.
    pub upload_time: Timestamp,
    /// Where its provenance is found, if it came with any.
    pub provenance_url: Option<&'a str>,
}

/// Keeps a file; [`StoreError::Conflict`] with [`BYTES_TAKEN`] when the same bytes are there.
pub async fn create(transaction: &Transaction<'_>, file: &NewFile<'_>) -> Result<(), StoreError> {
    let size = file.digests.size.cast_signed();
    query::execute(
        transaction,
        FILES_CREATE,
        &[
            &file.release,
            &file.project,
            &file.filename.as_str(),
            &file.filename.kind().packagetype(),
            &file.filename.python_version_tag(),
            &size,
            &file.digests.md5.as_bytes(),
            &file.digests.sha256.as_bytes(),
            &file.digests.blake2b_256.as_bytes(),
            &file.requires_python.map(RequiresPython::as_str),
            &file.metadata_sha256.as_ref().map(Sha256::as_bytes),
            &file.upload_time,
            &file.provenance_url,
        ],
    )
    .await?;
    Ok(())
}

/// Removes a file; `None`: the project has no such file. The project must be locked. Its name stays
/// taken, and its bytes stay until retention finds that no file names them.
pub async fn remove(
    transaction: &Transaction<'_>,
    project: i64,
    filename: &DistFilename,
) -> Result<Option<(Version, FileHash)>, StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
        [&project, &filename.as_str()];
    let row = query::row(transaction, FILES_REMOVE, &parameters).await?;
    row.map(|row| Ok((parsed(&row, "version")?, file_hash(&row)?)))
        .transpose()
}

/// Removes all files of a release; likewise.
pub async fn remove_of_release(
    transaction: &Transaction<'_>,
    release: i64,
) -> Result<Vec<FileHash>, StoreError> {
    let rows = query::rows(transaction, FILES_REMOVE_OF_RELEASE, &[&release]).await?;
    rows.iter().map(file_hash).collect()
}

/// Removes all files of a project; likewise.
pub async fn remove_of_project(
    transaction: &Transaction<'_>,
    project: i64,
) -> Result<Vec<FileHash>, StoreError> {
    let rows = query::rows(transaction, FILES_REMOVE_OF_PROJECT, &[&project]).await?;
    rows.iter().map(file_hash).collect()
}

fn file_hash(row: &Row) -> Result<FileHash, StoreError> {
    Ok((filename(row)?, sha256(row, "sha256")?))
}

/// What bounds a project and a release.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    /// Bytes of all files of the project.
    pub size: u64,
    /// Sdists of one release.
    pub sdists: u64,
}

/// What the project's files come to, `filename` among them, and the sdists of its release.
pub async fn weigh(
    client: &impl Client,
    project: i64,
    filename: &DistFilename,
) -> Result<Weight, StoreError> {
    let row = query::one(client, FILES_WEIGH, &[&project, &filename.as_str()]).await?;
    Ok(Weight {
        size: size(&row, "size")?,
        sdists: size(&row, "sdists")?,
    })
}

/// A file with all that the legacy JSON API tells of it.
#[derive(Debug, Clone)]
pub struct File {
    /// The release's row.
    pub release: i64,
    /// Its name.
    pub filename: DistFilename,
    /// Wheel or sdist.
    pub kind: DistKind,
    /// `py3`, `cp312`, `source` …
    pub python_tag: String,
    /// Length in bytes.
    pub size: u64,
    /// For old clients.
    pub md5: Md5,
    /// What installers check.
    pub sha256: Sha256,
    /// What it is addressed by.
    pub blake2b_256: Blake2b256,
    /// `Requires-Python` of its own metadata.
    pub requires_python: Option<RequiresPython>,
    /// Hash of the `.metadata` beside it.
    pub metadata_sha256: Option<Sha256>,
    /// When it came.
    pub upload_time: Timestamp,
}

/// All files of a project, by name.
pub async fn of_project(client: &impl Client, project: i64) -> Result<Vec<File>, StoreError> {
    query::rows(client, FILES_OF_PROJECT, &[&project])
        .await?
        .iter()
        .map(file)
        .collect()
}

fn file(row: &Row) -> Result<File, StoreError> {
    Ok(File {
        release: get(row, "release_id")?,
        filename: filename(row)?,
        kind: parsed(row, "packagetype")?,
        python_tag: get(row, "python_tag")?,
        size: size(row, "size")?,
        md5: md5(row, "md5")?,
        sha256: sha256(row, "sha256")?,
        blake2b_256: blake2b_256(row, "blake2b_256")?,
        requires_python: parsed_option(row, "requires_python")?,
        metadata_sha256: sha256_option(row, "metadata_sha256")?,
        upload_time: get(row, "upload_time")?,
    })
}

/// A file as `fsck` checks it.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Its name.
    pub filename: DistFilename,
    /// Its length.
    pub size: u64,
    /// What its bytes must hash to.
    pub sha256: Sha256,
    /// Where they are.
    pub blake2b_256: Blake2b256,
    /// What the `.metadata` beside it must hash to.
    pub metadata_sha256: Option<Sha256>,
}

/// Up to `limit` files after `after` (empty: from the start), in bytewise order.
pub async fn after(
    client: &impl Client,
    after: Option<&DistFilename>,
    limit: i64,
) -> Result<Vec<StoredFile>, StoreError> {
    let after = after.map_or("", DistFilename::as_str);
    let rows = query::rows(client, FILES_AFTER, &[&after, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredFile {
                filename: filename(row)?,
                size: size(row, "size")?,
                sha256: sha256(row, "sha256")?,
                blake2b_256: blake2b_256(row, "blake2b_256")?,
                metadata_sha256: sha256_option(row, "metadata_sha256")?,
            })
        })
        .collect()
}

/// How many files there are.
pub async fn count(client: &impl Client) -> Result<u64, StoreError> {
    size(&query::one(client, FILES_COUNT, &[]).await?, "files")
}

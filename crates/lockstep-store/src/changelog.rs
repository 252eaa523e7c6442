//! The changelog: serials given out, rows appended, rows read.

use bytes::Bytes;
use jiff::Timestamp;
use lockstep_core::change::Change;
use lockstep_core::digest::Sha256;
use lockstep_core::manifest::{FileHash, file_hashes};
use lockstep_core::name::{NormalizedName, ProjectName};
use lockstep_core::page::{RENDERER, Sealed};
use lockstep_core::plan::SurrogateKey;
use lockstep_core::serial::Serial;
use serde_json::Value;
use tokio_postgres::Row;

use crate::decode::{get, parsed_option, serial, serial_option, sha256, sha256_option, size};
use crate::query::{
    self, CHANGELOG_APPEND, CHANGELOG_BEYOND, CHANGELOG_CONTENT, CHANGELOG_FILL_LOST,
    CHANGELOG_FIRST_GAP, CHANGELOG_LAST_LOST, CHANGELOG_LAST_OF_PROJECT, CHANGELOG_ROW,
    CHANGELOG_SINCE, CHANGELOG_TAKE_SERIALS, Client,
};
use crate::{StoreError, Transaction};

/// Takes the lock that orders all changes, and the next `count` serials; returns the last of them.
/// From here until the transaction ends every other change of the index waits: do nothing slow.
pub async fn take_serials(
    transaction: &Transaction<'_>,
    count: usize,
) -> Result<Serial, StoreError> {
    let count = i64::try_from(count).map_err(|_| StoreError::Corrupt("count".to_owned()))?;
    serial(
        &query::one(transaction, CHANGELOG_TAKE_SERIALS, &[&count]).await?,
        "value",
    )
}

/// A change with the files that it added and removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub change: Change,
    /// Files shown from now on.
    pub added: Vec<FileHash>,
    /// Files gone from now on.
    pub removed: Vec<FileHash>,
}

impl Event {
    /// A change that adds and removes no file.
    pub fn of(change: Change) -> Self {
        Self {
            change,
            added: Vec::new(),
            removed: Vec::new(),
        }
    }
}

/// What a transaction leaves behind, all of it in one statement.
pub struct Entry<'a> {
    /// The project's row.
    pub project: i64,
    /// How it spells itself.
    pub name: &'a ProjectName,
    /// What happened, oldest first.
    pub events: &'a [Event],
    /// The last serial taken.
    pub last_serial: Serial,
    /// The state shown from now on; `None` when the project is gone.
    pub page: Option<EntryPage>,
    /// Hash of the content manifest.
    pub content_sha256: Sha256,
    /// Hash of the files manifest.
    pub files_sha256: Sha256,
    /// Number of files shown.
    pub files_count: usize,
    /// Whether the list of projects shows it.
    pub listed: bool,
    /// What the CDNs must forget.
    pub keys: &'a [SurrogateKey],
}

/// The page of an [`Entry`].
pub struct EntryPage {
    /// The state's row.
    pub state: i64,
    /// The HTML form.
    pub html: Sealed,
    /// The JSON form.
    pub json: Sealed,
}

/// Appends the rows, makes the page current, and writes down the duty to purge.
pub async fn append(transaction: &Transaction<'_>, entry: &Entry<'_>) -> Result<(), StoreError> {
    let count = entry.events.len() as u64;
    let first = entry.last_serial.to_column() - count.cast_signed() + 1;
    let last = entry.last_serial.to_column();
    let changes = || entry.events.iter().map(|event| &event.change);
    let versions: Vec<Option<String>> = changes()
        .map(|change| change.version().map(ToString::to_string))
        .collect();
    let kinds: Vec<&str> = changes().map(Change::kind).collect();
    let actions: Vec<String> = changes().map(Change::action).collect();
    let files = |of: fn(&Event) -> &Vec<FileHash>| -> Vec<Value> {
        entry.events.iter().map(|it| file_hashes(of(it))).collect()
    };
    let added = files(|event| &event.added);
    let removed = files(|event| &event.removed);
    let page = entry.page.as_ref();
    let html = page.map(|page| &page.html);
    let json = page.map(|page| &page.json);
    let count = i32::try_from(entry.files_count).unwrap_or(i32::MAX);
    let keys: Vec<&str> = entry.keys.iter().map(SurrogateKey::as_str).collect();
    query::one(
        transaction,
        CHANGELOG_APPEND,
        &[
            &first,
            &last,
            &entry.project,
            &entry.name.as_str(),
            &versions,
            &kinds,
            &actions,
            &added,
            &removed,
            &html.map(|html| html.sha256.as_bytes()),
            &page.map(|page| page.state),
            &html.map(|html| html.size.cast_signed()),
            &json.map(|json| json.sha256.as_bytes()),
            &json.map(|json| json.size.cast_signed()),
            &RENDERER,
            &entry.content_sha256.as_bytes(),
            &entry.files_sha256.as_bytes(),
            &count,
            &entry.listed,
            &keys,
        ],
    )
    .await?;
    Ok(())
}

/// A row, as every face of the changelog tells it.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// Its number.
    pub serial: Serial,
    /// When it was committed.
    pub at: Timestamp,
    /// The project's identity; `None` for a serial that a lost database had announced.
    pub project: Option<NormalizedName>,
    /// How it spelled itself then.
    pub name: Option<ProjectName>,
    /// The release it is about.
    pub version: Option<String>,
    /// The machine's word.
    pub kind: String,
    /// The public index's sentence.
    pub action: String,
    /// Files added: name to hash.
    pub added: Value,
    /// Files removed: name to hash.
    pub removed: Value,
    /// What the page is once this serial is visible; `None` when the project is gone.
    pub page: Option<PageRef>,
    /// Hash of the content manifest.
    pub content_sha256: Sha256,
    /// Hash of the files manifest.
    pub files_sha256: Sha256,
    /// Number of files shown.
    pub files_count: i32,
}

/// A page as the changelog names it.
#[derive(Debug, Clone, Copy)]
pub struct PageRef {
    /// The serial in its tail.
    pub serial: Serial,
    /// The HTML form.
    pub html: Sealed,
    /// The JSON form.
    pub json: Sealed,
}

/// Rows with `after` < serial ≤ `up_to`, ascending, at most `limit`; of one project where named.
pub async fn since(
    client: &impl Client,
    after: Serial,
    up_to: Serial,
    limit: u32,
    project: Option<&NormalizedName>,
) -> Result<Vec<ChangeRow>, StoreError> {
    let project = project.map(NormalizedName::as_str);
    let limit = i64::from(limit);
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&after.to_column(), &up_to.to_column(), &limit, &project];
    query::rows(client, CHANGELOG_SINCE, &parameters)
        .await?
        .iter()
        .map(change_row)
        .collect()
}

/// The row with this serial, committed or announced: the caller asks the watermarks first.
pub async fn row(client: &impl Client, serial: Serial) -> Result<Option<ChangeRow>, StoreError> {
    let row = query::row(client, CHANGELOG_ROW, &[&serial.to_column()]).await?;
    row.as_ref().map(change_row).transpose()
}

fn change_row(row: &Row) -> Result<ChangeRow, StoreError> {
    let page = match serial_option(row, "page_serial")? {
        None => None,
        Some(serial) => Some(PageRef {
            serial,
            html: Sealed {
                sha256: sha256(row, "html_sha256")?,
                size: size(row, "html_size")?,
            },
            json: Sealed {
                sha256: sha256(row, "json_sha256")?,
                size: size(row, "json_size")?,
            },
        }),
    };
    Ok(ChangeRow {
        serial: serial(row, "serial")?,
        at: get(row, "at")?,
        project: parsed_option(row, "normalized_name")?,
        name: parsed_option(row, "name")?,
        version: get(row, "version")?,
        kind: get(row, "kind")?,
        action: get(row, "action")?,
        added: get(row, "added")?,
        removed: get(row, "removed")?,
        page,
        content_sha256: sha256(row, "content_sha256")?,
        files_sha256: sha256(row, "files_sha256")?,
        files_count: get(row, "files_count")?,
    })
}

/// Fills the serials up to `to` that a lost database had announced with rows that say so, and moves
/// the counter past them; returns how many there were.
pub async fn fill_lost(client: &impl Client, to: Serial) -> Result<u64, StoreError> {
    let nothing = Sha256::of(b"");
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
        [&to.to_column(), &nothing.as_bytes()];
    query::execute(client, CHANGELOG_FILL_LOST, &parameters).await
}

/// The last serial that was given up as lost; zero if none ever was.
pub async fn last_lost(client: &impl Client) -> Result<Serial, StoreError> {
    let row = query::row(client, CHANGELOG_LAST_LOST, &[]).await?;
    row.map_or(Ok(Serial::ZERO), |row| serial(&row, "serial"))
}

/// The content manifest at a serial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The bytes that `content.sha256` is the hash of.
    Here(Bytes),
    /// Retention has let it go.
    Gone,
}

/// The content manifest at `serial`; `None` for an unknown serial.
pub async fn content(client: &impl Client, serial: Serial) -> Result<Option<Content>, StoreError> {
    let row = query::row(client, CHANGELOG_CONTENT, &[&serial.to_column()]).await?;
    row.map(|row| {
        let bytes: Option<&[u8]> = get(&row, "content")?;
        Ok(bytes.map_or(Content::Gone, |bytes| {
            Content::Here(Bytes::copy_from_slice(bytes))
        }))
    })
    .transpose()
}

/// What the changelog last said of a project.
#[derive(Debug, Clone)]
pub struct LastWord {
    /// The row.
    pub serial: Serial,
    /// The serial in the page's tail.
    pub page_serial: Option<Serial>,
    /// Hash of the HTML form.
    pub html_sha256: Option<Sha256>,
    /// Hash of the JSON form.
    pub json_sha256: Option<Sha256>,
    /// Hash of the content manifest.
    pub content_sha256: Sha256,
    /// Hash of the files manifest.
    pub files_sha256: Sha256,
    /// Whether the list of projects shows it.
    pub listed: bool,
}

/// The last row of a project, for `fsck`.
pub async fn last_of_project(
    client: &impl Client,
    project: i64,
) -> Result<Option<LastWord>, StoreError> {
    let row = query::row(client, CHANGELOG_LAST_OF_PROJECT, &[&project]).await?;
    row.map(|row| {
        Ok(LastWord {
            serial: serial(&row, "serial")?,
            page_serial: serial_option(&row, "page_serial")?,
            html_sha256: sha256_option(&row, "html_sha256")?,
            json_sha256: sha256_option(&row, "json_sha256")?,
            content_sha256: sha256(&row, "content_sha256")?,
            files_sha256: sha256(&row, "files_sha256")?,
            listed: get(&row, "listed")?,
        })
    })
    .transpose()
}

/// The first serial that has no row although a later one was given out; and how many rows lie
/// beyond the counter. Both must be nothing (promise P1).
pub async fn density(client: &impl Client) -> Result<(Option<Serial>, u64), StoreError> {
    let gap = query::one(client, CHANGELOG_FIRST_GAP, &[]).await?;
    let beyond = query::one(client, CHANGELOG_BEYOND, &[]).await?;
    Ok((serial_option(&gap, "missing")?, size(&beyond, "rows")?))
}

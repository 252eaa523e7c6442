//! The index's word: its changelog over HTTP, and what it says each project must look like.
//!
//! Invariant: a manifest is only handed out once its bytes have the announced hash, so nothing that
//! a cache before the index did to it can make a mirror look right.

use std::collections::BTreeMap;

use lockstep_core::digest::Sha256;
use lockstep_core::manifest::files_of_content;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use reqwest::{Client, Url};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::fetch::{self, FetchError};
use crate::manifest::{Line, parse};

/// The most rows that the index gives at once.
const BATCH: u32 = 10_000;

/// `meta` of every answer.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Meta {
    /// Up to here mirrors are told.
    #[serde(rename = "announced-serial")]
    pub announced: Serial,
}

/// A row, as far as an audit needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    /// Its number.
    pub serial: Serial,
    /// When it was committed; shown, never computed with.
    pub timestamp: String,
    /// Whose page changed.
    pub project: NormalizedName,
    /// What the page is once this serial is visible; `None`: the project is gone.
    pub page: Option<Page>,
    /// The representation-free content.
    pub content: Manifest,
    /// The files.
    pub files: Files,
}

/// A page: its serial, and the hash of each form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// The serial in its tail.
    pub serial: Serial,
    /// The HTML form.
    pub html: Manifest,
    /// The JSON form.
    pub json: Manifest,
}

impl Page {
    /// Whether these are the bytes of one of its forms.
    pub fn is(&self, sha256: Sha256) -> bool {
        self.html.sha256 == sha256 || self.json.sha256 == sha256
    }
}

/// Something that is known by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
}

/// The files of a state, and how they came about.
#[derive(Debug, Clone, Deserialize)]
pub struct Files {
    /// SHA-256 of the manifest in `sha256sum -c` format.
    pub sha256: Sha256,
    /// Added by this row.
    pub added: BTreeMap<String, Sha256>,
    /// Removed by this row.
    pub removed: BTreeMap<String, Sha256>,
}

/// What was announced of a project last.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The row.
    pub row: Serial,
    /// Its page; `None`: it is gone.
    pub page: Option<Page>,
    /// Hash of its content.
    pub content: Sha256,
    /// Hash of its files.
    pub files: Sha256,
}

impl Expected {
    /// Which serial a page must show; where there must be none, the serial that removed it.
    pub fn serial(&self) -> Serial {
        self.page.map_or(self.row, |page| page.serial)
    }
}

impl From<Change> for Expected {
    fn from(change: Change) -> Self {
        Self {
            row: change.serial,
            page: change.page,
            content: change.content.sha256,
            files: change.files.sha256,
        }
    }
}

/// The index did not say what an audit has to know.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Not reached.
    #[error("can't reach the index at {url}; is it running, and is --index its address?")]
    Unreachable {
        /// What was asked for.
        url: Url,
        /// Why.
        source: FetchError,
    },
    /// Another answer than its contract says.
    #[error("{url} answered {seen}; --index must be a Lockstep index, the address above /simple/")]
    Answer {
        /// What was asked for.
        url: Url,
        /// What came.
        seen: String,
    },
    /// A manifest that is not the announced one.
    #[error("{url} does not have the hash that the changelog announces; run `lockstep fsck` there")]
    Hash {
        /// What was asked for.
        url: Url,
    },
    /// Never heard of.
    #[error("the index has never announced a project `{0}`; check --project and --index")]
    Unknown(NormalizedName),
}

/// An index, read as mirrors read it.
#[derive(Debug, Clone)]
pub struct Index {
    client: Client,
    url: Url,
}

#[derive(Deserialize)]
struct State {
    meta: Meta,
}

#[derive(Deserialize)]
struct Changes {
    #[serde(deserialize_with = "of_projects")]
    changes: Vec<Change>,
    next: Serial,
    more: bool,
}

/// Without the rows about no project: serials that were lost with a database.
fn of_projects<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Change>, D::Error> {
    let rows: Vec<serde_json::Value> = Vec::deserialize(from)?;
    let rows = rows.into_iter().filter(|row| !row["project"].is_null());
    rows.map(serde_json::from_value)
        .collect::<Result<_, _>>()
        .map_err(D::Error::custom)
}

impl Index {
    /// The index at `url`, the address above `/simple/`.
    pub fn new(mut url: Url) -> Self {
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let client = fetch::client();
        Self { client, url }
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How far it has announced.
    pub async fn announced(&self) -> Result<Serial, IndexError> {
        let state: State = self.json("changelog/state").await?;
        Ok(state.meta.announced)
    }

    /// What it has announced of every project with a row in `since` < serial ≤ `up_to`: the last
    /// word of each, in the order of names. `progress` is called with the serial read so far.
    pub async fn expected(
        &self,
        since: Serial,
        up_to: Serial,
        progress: impl Fn(Serial),
    ) -> Result<BTreeMap<NormalizedName, Expected>, IndexError> {
        let mut last = BTreeMap::new();
        let mut after = since;
        while after < up_to {
            let path = format!("changelog/?since={after}&limit={BATCH}");
            let batch: Changes = self.json(&path).await?;
            for change in batch.changes {
                // More may be announced by now; one horizon holds for the whole audit.
                if change.serial <= up_to {
                    last.insert(change.project.clone(), Expected::from(change));
                }
            }
            if !batch.more {
                break;
            }
            after = batch.next;
            progress(after);
        }
        Ok(last)
    }

    /// What it had announced of one project at `up_to`.
    pub async fn expected_of(
        &self,
        project: &NormalizedName,
        up_to: Serial,
    ) -> Result<Option<Expected>, IndexError> {
        let history = self.history(project).await?;
        let last = history.into_iter().rfind(|change| change.serial <= up_to);
        Ok(last.map(Expected::from))
    }

    /// Everything that ever happened to a project, up to the last commit and not only as announced:
    /// what an edge shows already need not be announced yet.
    pub async fn history(&self, project: &NormalizedName) -> Result<Vec<Change>, IndexError> {
        let mut history = Vec::new();
        let mut after = Serial::ZERO;
        loop {
            let path = format!(
                "changelog/?since={after}&limit={BATCH}&project={project}&horizon=committed"
            );
            let batch: Changes = self.json(&path).await?;
            history.extend(batch.changes);
            if !batch.more {
                return Ok(history);
            }
            after = batch.next;
        }
    }

    /// The content of a state: exactly what was announced, or an error.
    pub async fn content(&self, expected: &Expected) -> Result<Vec<Line>, IndexError> {
        let (url, bytes) = self
            .get(&format!("changelog/{}/content", expected.row))
            .await?;
        let files = files_of_content(&bytes).map(|files| Sha256::of(&files));
        if Sha256::of(&bytes) != expected.content || files != Some(expected.files) {
            return Err(IndexError::Hash { url });
        }
        parse(&bytes).map_err(|error| IndexError::Answer {
            url,
            seen: format!("a manifest that can't be read ({error})"),
        })
    }

    async fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, IndexError> {
        let (url, bytes) = self.get(path).await?;
        serde_json::from_slice(&bytes).map_err(|error| IndexError::Answer {
            url,
            seen: format!("what is no changelog ({error})"),
        })
    }

    async fn get(&self, path: &str) -> Result<(Url, Vec<u8>), IndexError> {
        let url = self.url.join(path).unwrap_or_else(|_| self.url.clone());
        match fetch::send(self.client.get(url.clone())).await {
            Ok(answer) if answer.status.is_success() => Ok((url, answer.body)),
            Ok(answer) => Err(IndexError::Answer {
                url,
                seen: answer.status.to_string(),
            }),
            Err(source) => Err(IndexError::Unreachable { url, source }),
        }
    }
}

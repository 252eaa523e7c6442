//! The index, read as any mirror reads it: its changelog, its snapshots, its pages by their hash.
//!
//! Invariant: a manifest or a page is only handed out once its bytes have the announced hash, and
//! rows only while they are of the index that was asked first; so nothing that a cache before the
//! index did to it can make a mirror look right.

mod snapshot;

use std::collections::BTreeMap;

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::changelog::{Change, Expected, Meta, Page};
use crate::fetch::{self, FetchError};
use crate::manifest::{Line, parse};
use crate::shown::{self, ShownFile};

/// The most rows that the index gives at once.
const BATCH: u32 = 10_000;

/// No batch of the changelog and no page is larger.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// What was announced of projects, in the order of their names.
pub type Announced = BTreeMap<NormalizedName, Expected>;

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
    /// Another answer than an index gives.
    #[error("{url} answered {seen}; --index must be a Lockstep index, the address above /simple/")]
    Answer {
        /// What was asked for.
        url: Url,
        /// What came.
        seen: String,
    },
    /// A manifest or page that is not the announced one.
    #[error(
        "{url} does not have the hash that the changelog announces; run `lockstep fsck` there, and \
         if that finds nothing, look at the caches before it"
    )]
    Hash {
        /// What was asked for.
        url: Url,
    },
    /// Two indexes behind one address.
    #[error(
        "{url} speaks for the index {seen}, and a moment ago it was {expected}; are there two \
         indexes behind --index?"
    )]
    Another {
        /// What was asked for.
        url: Url,
        /// Who answers.
        seen: Uuid,
        /// Who answered first.
        expected: Uuid,
    },
    /// Never heard of.
    #[error("the index has never announced a project `{0}`; check --project and --index")]
    Unknown(NormalizedName),
}

/// An index.
#[derive(Debug, Clone)]
pub struct Index {
    client: Client,
    url: Url,
    id: Uuid,
}

#[derive(Deserialize)]
struct State {
    meta: Meta,
}

#[derive(Deserialize)]
struct Changes {
    meta: Meta,
    changes: Vec<Change>,
    next: Serial,
    more: bool,
}

impl Index {
    /// The index at `url`, the address above `/simple/`, and how far it has announced.
    pub async fn open(mut url: Url) -> Result<(Self, Serial), IndexError> {
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let client = fetch::client();
        let id = Uuid::nil();
        let mut index = Self { client, url, id };
        let State { meta } = index.json("changelog/state").await?;
        index.id = meta.index_id;
        Ok((index, meta.announced_serial))
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What it has announced of every project with a row in `since` < serial ≤ `up_to`: the last
    /// word of each. `progress` is called with the serial read so far.
    pub async fn changed(
        &self,
        since: Serial,
        up_to: Serial,
        progress: impl Fn(Serial),
    ) -> Result<Announced, IndexError> {
        let mut last = Announced::new();
        self.rows(since, up_to, progress, |project, expected| {
            last.insert(project, expected);
        })
        .await?;
        Ok(last)
    }

    /// The projects that are gone at `up_to`. A snapshot does not name them, so this reads the whole
    /// changelog; it keeps no more of it than the answer.
    pub async fn removed(
        &self,
        up_to: Serial,
        progress: impl Fn(Serial),
    ) -> Result<Announced, IndexError> {
        let mut gone = Announced::new();
        self.rows(Serial::ZERO, up_to, progress, |project, expected| {
            if expected.page.is_some() {
                gone.remove(&project);
            } else {
                gone.insert(project, expected);
            }
        })
        .await?;
        Ok(gone)
    }

    async fn rows(
        &self,
        since: Serial,
        up_to: Serial,
        progress: impl Fn(Serial),
        mut each: impl FnMut(NormalizedName, Expected),
    ) -> Result<(), IndexError> {
        let mut after = since;
        while after < up_to {
            let batch = self.batch(after, "").await?;
            for mut change in batch.changes {
                // More may be announced by now; one horizon holds for the whole audit.
                if let Some(project) = change.project.take()
                    && change.serial <= up_to
                {
                    each(project, Expected::from(change));
                }
            }
            if !batch.more || batch.next <= after {
                break;
            }
            after = batch.next;
            progress(after);
        }
        Ok(())
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
            let of = format!("&project={project}&horizon=committed");
            let batch = self.batch(after, &of).await?;
            // A cache that leaves out the query would give us everybody's.
            let own = |change: &Change| change.project.as_ref() == Some(project);
            history.extend(batch.changes.into_iter().filter(own));
            if !batch.more || batch.next <= after {
                return Ok(history);
            }
            after = batch.next;
        }
    }

    async fn batch(&self, after: Serial, of: &str) -> Result<Changes, IndexError> {
        let path = format!("changelog/?since={after}&limit={BATCH}{of}");
        let batch: Changes = self.json(&path).await?;
        if batch.meta.index_id != self.id {
            return Err(IndexError::Another {
                url: self.at(&path),
                seen: batch.meta.index_id,
                expected: self.id,
            });
        }
        Ok(batch)
    }

    /// The content of a state: exactly what was announced, or an error.
    pub async fn content(&self, expected: &Expected) -> Result<Vec<Line>, IndexError> {
        let path = format!("changelog/{}/content", expected.row);
        let bytes = self.hashed(&path, expected.content).await?;
        parse(&bytes).map_err(|error| IndexError::Answer {
            url: self.at(&path),
            seen: format!("a manifest that can't be read ({error})"),
        })
    }

    /// The files of a page with their sizes and core metadata: of exactly the announced page.
    pub async fn files(&self, page: &Page) -> Result<Vec<ShownFile>, IndexError> {
        let path = format!("pages/sha256/{}", page.json.sha256);
        let bytes = self.hashed(&path, page.json.sha256).await?;
        let shown = shown::read(&bytes).ok_or_else(|| IndexError::Answer {
            url: self.at(&path),
            seen: "a page that can't be read".to_owned(),
        })?;
        Ok(shown.files)
    }

    async fn hashed(&self, path: &str, sha256: Sha256) -> Result<Vec<u8>, IndexError> {
        let bytes = self.get(path).await?;
        if Sha256::of(&bytes) == sha256 {
            Ok(bytes)
        } else {
            Err(IndexError::Hash { url: self.at(path) })
        }
    }

    async fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, IndexError> {
        let bytes = self.get(path).await?;
        serde_json::from_slice(&bytes).map_err(|error| IndexError::Answer {
            url: self.at(path),
            seen: format!("what is no changelog ({error})"),
        })
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, IndexError> {
        let url = self.at(path);
        match fetch::send(self.client.get(url.clone()), MAX_BODY).await {
            Ok(answer) if answer.status.is_success() => Ok(answer.body),
            Ok(answer) => Err(IndexError::Answer {
                url,
                seen: answer.status.to_string(),
            }),
            Err(source) => Err(IndexError::Unreachable { url, source }),
        }
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap_or_else(|_| self.url.clone())
    }
}

//! What the index announces: rows of its changelog, and what each project must look like after them.
//!
//! Not here: how it is asked, see [`crate::index`].

use std::collections::BTreeMap;

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::serial::Serial;
use serde::Deserialize;
use uuid::Uuid;

/// `meta` of every answer.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Meta {
    /// Which index it is, fixed for its life.
    pub index_id: Uuid,
    /// Up to here mirrors are told.
    pub announced_serial: Serial,
}

/// A row, as far as an audit needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    /// Its number.
    pub serial: Serial,
    /// When it was committed; shown, never computed with.
    pub timestamp: String,
    /// Whose page changed; `None`: nobody's, the serial was lost with a database.
    pub project: Option<NormalizedName>,
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

/// How the files of a state came about.
#[derive(Debug, Clone, Deserialize)]
pub struct Files {
    /// Added by this row.
    pub added: BTreeMap<String, Sha256>,
    /// Removed by this row.
    pub removed: BTreeMap<String, Sha256>,
}

/// What was announced of a project last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The row.
    pub row: Serial,
    /// Its page; `None`: it is gone.
    pub page: Option<Page>,
    /// Hash of its content.
    pub content: Sha256,
}

impl Expected {
    /// Which serial a page must show; where there must be none, the serial that removed it.
    pub fn serial(&self) -> Serial {
        self.page.map_or(self.row, |page| page.serial)
    }

    /// Whether its page lists no file, as in quarantine.
    pub fn lists_nothing(&self) -> bool {
        self.content == Sha256::of(b"")
    }
}

impl From<Change> for Expected {
    fn from(change: Change) -> Self {
        Self {
            row: change.serial,
            page: change.page,
            content: change.content.sha256,
        }
    }
}

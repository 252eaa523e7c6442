//! The simple page of a project: its state, rendered to HTML and JSON, hashed, sealed.
//!
//! Invariant: the bytes are a function of the rows alone. Same state and serial, same bytes, on any
//! machine (promise P2). Therefore: a total order, a frozen escaper, typed structs only, one
//! function that prints times, and a renderer version beside every stored hash.
//!
//! Rendering has two halves. [`render`] writes and hashes everything up to the tail, for a cost
//! that grows with the project; [`Draft::seal`] appends the serial for a constant cost, because it
//! runs under the lock that orders all changes of the index.

mod html;
pub mod index;
mod json;

use jiff::Timestamp;
use serde::Serialize;
use sha2::Digest as _;

use crate::digest::{Blake2b256, Sha256};
use crate::filename::DistFilename;
use crate::manifest;
use crate::name::NormalizedName;
use crate::serial::Serial;
use crate::status::{ProjectStatus, Reason, Yanked};
use crate::version::{RequiresPython, Version};

/// Which renderer made a page. Raised, with an ADR, whenever its bytes change on purpose.
pub const RENDERER: i16 = 1;

/// A file as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name; unique in the index, which makes the order total.
    pub filename: DistFilename,
    /// The release it belongs to.
    pub version: Version,
    /// Length in bytes.
    pub size: u64,
    /// What installers check.
    pub sha256: Sha256,
    /// What it is addressed by.
    pub blake2b_256: Blake2b256,
    /// `Requires-Python` of its metadata.
    pub requires_python: Option<RequiresPython>,
    /// Whether its release is yanked.
    pub yanked: Yanked,
    /// Hash of the `.metadata` beside it (PEP 658), wheels only.
    pub metadata_sha256: Option<Sha256>,
    /// When it was uploaded.
    pub upload_time: Timestamp,
    /// Where its provenance is found (PEP 740), if it came with any.
    pub provenance_url: Option<String>,
}

/// Everything a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectState {
    /// Whose page it is.
    pub name: NormalizedName,
    /// Its status marker (PEP 792).
    pub status: ProjectStatus,
    /// Why it has that status.
    pub status_reason: Option<Reason>,
    /// Its files, in any order.
    pub files: Vec<FileEntry>,
}

/// Where file links point. Part of the page's bytes, hence fixed for the life of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileLinks {
    /// `../../packages/…`, right behind any host name; what mirrors of 2013 insist on.
    Relative,
    /// This base (without a trailing slash), then `/packages/…`.
    At(String),
}

impl FileLinks {
    fn base(&self) -> &str {
        match self {
            Self::Relative => "../..",
            Self::At(base) => base,
        }
    }
}

/// The two representations of a page. A hash names one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// PEP 503.
    Html,
    /// PEP 691.
    Json,
}

impl Form {
    /// The page's last bytes, which carry its serial: with it a change that leaves the files alone
    /// still changes the hash and the entity tag, so no cache can revalidate an old serial.
    pub fn tail(self, serial: Serial) -> String {
        match self {
            Self::Html => format!("<!--SERIAL {serial}-->"),
            Self::Json => format!("{serial}}}}}\n"),
        }
    }

    /// The serial in the tail of a page's bytes; `None` when they do not end like a page of ours.
    pub fn serial_of(self, bytes: &[u8]) -> Option<Serial> {
        // A tail is short; the rest of the bytes need not even be text.
        let end = std::str::from_utf8(&bytes[bytes.len().saturating_sub(40)..]).ok()?;
        let (before, after) = match self {
            Self::Html => ("<!--SERIAL ", "-->"),
            Self::Json => ("\"_last-serial\":", "}}\n"),
        };
        end.strip_suffix(after)?.rsplit_once(before)?.1.parse().ok()
    }
}

/// One representation, rendered and hashed up to its tail.
pub struct DraftForm {
    form: Form,
    body: Vec<u8>,
    hasher: sha2::Sha256,
}

/// A hash and a length: what the changelog tells of a representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// SHA-256 of body and tail.
    pub sha256: Sha256,
    /// Length of body and tail in bytes.
    pub size: u64,
}

impl DraftForm {
    fn new(form: Form, body: Vec<u8>) -> Self {
        let hasher = sha2::Sha256::new_with_prefix(&body);
        Self { form, body, hasher }
    }

    /// The bytes without their tail, as they are stored.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Completes the hash. Constant time: this runs under the serial lock.
    pub fn seal(&self, serial: Serial) -> Sealed {
        let tail = self.form.tail(serial);
        let hash: [u8; 32] = self.hasher.clone().chain_update(&tail).finalize().into();
        Sealed {
            sha256: hash.into(),
            size: (self.body.len() + tail.len()) as u64,
        }
    }
}

/// A page rendered up to its serial, with the manifests of the same state.
pub struct Draft {
    /// The HTML representation.
    pub html: DraftForm,
    /// The JSON representation.
    pub json: DraftForm,
    /// The representation-free content (`/changelog/{serial}/content`).
    pub content: Vec<u8>,
    /// SHA-256 of `content`.
    pub content_sha256: Sha256,
    /// SHA-256 of the `sha256sum -c` manifest.
    pub files_sha256: Sha256,
    /// How many files are shown.
    pub files_count: usize,
}

/// Renders a state. A quarantined project shows no files (PEP 792).
pub fn render(mut state: ProjectState, links: &FileLinks) -> Draft {
    if state.status == ProjectStatus::Quarantined {
        state.files.clear();
    }
    // File names are unique in the index, so this order is total even where 1.0 equals 1.0.0.
    state
        .files
        .sort_by(|a, b| (&a.version, &a.filename).cmp(&(&b.version, &b.filename)));
    let content = manifest::content(&state.files);
    Draft {
        html: DraftForm::new(Form::Html, html::body(&state, links)),
        json: DraftForm::new(Form::Json, json::body(&state, links)),
        content_sha256: Sha256::of(&content),
        files_sha256: Sha256::of(&manifest::files(&state.files)),
        files_count: state.files.len(),
        content,
    }
}

/// Where a file is served: `/packages/` and its BLAKE2b-256 in three parts, as in the public index.
pub fn file_path(blake2b_256: &Blake2b256, filename: &DistFilename) -> String {
    let hex = blake2b_256.to_string();
    format!(
        "/packages/{}/{}/{}/{}",
        &hex[..2],
        &hex[2..4],
        &hex[4..],
        filename.url_path()
    )
}

/// A time as pages print it: UTC, microseconds only when there are any (PEP 700).
pub fn page_time(time: Timestamp) -> String {
    let micros = time.subsec_nanosecond() / 1000;
    let whole = time.strftime("%Y-%m-%dT%H:%M:%S");
    if micros == 0 {
        format!("{whole}Z")
    } else {
        format!("{whole}.{micros:06}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_is_read_back_from_the_tail() {
        let serial = Serial::new(1043).expect("in range");
        let html = format!("<html></html>\n{}", Form::Html.tail(serial));
        assert_eq!(Form::Html.serial_of(html.as_bytes()), Some(serial));
        let json = format!("{{\"meta\":{{\"_last-serial\":{}", Form::Json.tail(serial));
        assert_eq!(Form::Json.serial_of(json.as_bytes()), Some(serial));
        assert_eq!(Form::Json.serial_of(html.as_bytes()), None);
        assert_eq!(Form::Html.serial_of(b"<!--SERIAL x-->"), None);
        assert_eq!(Form::Html.serial_of(b""), None);
    }
}

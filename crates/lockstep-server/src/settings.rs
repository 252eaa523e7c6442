//! Settings: one TOML file, every value overridable by the environment, unknown keys refused.
//!
//! Not here: what the command line says. Invariant: a [`Settings`] value is complete and checked;
//! nothing else in the program reads the environment or the file.

mod known;
mod limits;
mod load;
pub mod rate;
mod written;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use lockstep_core::announce::AnnounceAfter;
use lockstep_core::name::ProjectName;
use lockstep_core::page::FileLinks;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::publish::archive::Limits;
pub use limits::{LimitSettings, Network};
pub use load::{SettingsError, load};
use written::{announce_after, duration, optional_duration};

/// The effective settings (docs/guide/operators.md).
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Settings {
    /// Where to listen.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The CDN's face: what absolute links in answers begin with. No trailing slash.
    pub public_url: String,
    /// PostgreSQL, the primary.
    #[serde(serialize_with = "hidden")]
    pub database_url: SecretString,
    /// Where files are kept: `file:///…`, `s3://bucket/prefix`, `gs://…`, `az://…`.
    pub blobs: String,
    /// Empty: relative links. Otherwise the base of file links.
    #[serde(default)]
    pub files_url: String,
    /// How long replaced pages stay fetchable by hash.
    #[serde(default = "default_retention", with = "duration")]
    pub retention: Duration,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<Network>,
    /// What clients may ask of a process.
    #[serde(default)]
    pub limits: LimitSettings,
    /// Uploads.
    #[serde(default)]
    pub upload: UploadSettings,
    /// Announcing.
    #[serde(default)]
    pub announce: AnnounceSettings,
    /// What caches are told.
    #[serde(default)]
    pub cache: CacheSettings,
    /// The CDNs; all must acknowledge.
    #[serde(default)]
    pub cdn: Vec<CdnSettings>,
    /// Where "verify" reads back; all must have seen a page.
    #[serde(default)]
    pub probe: Vec<ProbeSettings>,
}

/// `[[probe]]`
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ProbeSettings {
    /// Names it in logs and metrics.
    pub name: String,
    /// How it looks.
    #[serde(default)]
    pub kind: ProbeKind,
    /// The root of a site as clients read it: an edge, a POP; of a `fastly-edge-check`, the service.
    pub url: String,
    /// `fastly-edge-check`: an API token.
    #[serde(
        default,
        serialize_with = "hidden_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub token: Option<SecretString>,
    /// … or the file that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// `fastly-edge-check`: the API's address, when it is not Fastly's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
}

/// How a probe looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", try_from = "String")]
pub enum ProbeKind {
    /// It reads every page as a client does.
    #[default]
    Http,
    /// It asks Fastly for the hash that every point of presence holds, of a sample of pages.
    FastlyEdgeCheck,
}

impl TryFrom<String> for ProbeKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "http" => Ok(Self::Http),
            "fastly-edge-check" => Ok(Self::FastlyEdgeCheck),
            _ => Err(format!(
                "`{text}` is no kind of probe: expected http or fastly-edge-check"
            )),
        }
    }
}

impl ProbeKind {
    /// Its name in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::FastlyEdgeCheck => "fastly-edge-check",
        }
    }
}

/// `[upload]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct UploadSettings {
    /// The largest file taken.
    pub max_file_size: ByteSize,
    /// The files of a project together.
    pub max_project_size: ByteSize,
    /// The members of an archive.
    pub max_members: usize,
    /// The members of an archive together, unpacked.
    pub max_unpacked_size: ByteSize,
    /// Names that no new project may have, in any spelling.
    pub prohibited_names: Vec<ProjectName>,
    /// The fields of a form, the file aside.
    pub max_fields: usize,
    /// Their names and values together; descriptions are the largest by far.
    pub max_fields_size: ByteSize,
    /// Uploads that a process takes at a time.
    pub max_concurrent: usize,
    /// How long one more waits for its turn before it is answered 503.
    #[serde(with = "duration")]
    pub max_wait: Duration,
    /// New files per token, such as `60/h`; empty: any number.
    #[serde(with = "rate::optional")]
    pub rate: Option<rate::Rate>,
}

impl UploadSettings {
    /// What an archive may hold.
    pub fn archive_limits(&self) -> Limits {
        Limits {
            members: self.max_members,
            unpacked: self.max_unpacked_size,
        }
    }
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self {
            max_file_size: ByteSize::mib(100),
            max_project_size: ByteSize::gib(10),
            max_members: 100_000,
            max_unpacked_size: ByteSize::gib(2),
            prohibited_names: Vec::new(),
            // The public index's clients send one part per classifier, dependency and so on.
            max_fields: 4096,
            max_fields_size: ByteSize::mib(8),
            max_concurrent: 32,
            max_wait: Duration::from_secs(10),
            rate: None,
        }
    }
}

/// `[announce]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct AnnounceSettings {
    /// After which stage mirrors are told.
    #[serde(with = "announce_after")]
    pub after: AnnounceAfter,
    /// Announce anyway after this; empty: never.
    #[serde(with = "optional_duration")]
    pub max_wait: Option<Duration>,
}

impl Default for AnnounceSettings {
    fn default() -> Self {
        // Without probes, verified equals purged.
        Self {
            after: AnnounceAfter::Verify,
            max_wait: None,
        }
    }
}

/// `[cache]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct CacheSettings {
    /// `Surrogate-Control`: what the CDN is told.
    pub edge: String,
    /// `Cache-Control`: what clients are told, whom no purge reaches.
    pub clients: String,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            edge: "max-age=86400, stale-if-error=86400".to_owned(),
            clients: "max-age=0, must-revalidate".to_owned(),
        }
    }
}

/// `[[cdn]]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CdnSettings {
    /// Fastly's purge API.
    Fastly {
        /// Names it in logs, metrics and the outbox.
        name: String,
        /// The service whose pages are purged.
        service_id: String,
        /// An API token with the scope `purge_select`.
        #[serde(
            default,
            serialize_with = "hidden_option",
            skip_serializing_if = "Option::is_none"
        )]
        token: Option<SecretString>,
        /// … or the file that holds it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token_file: Option<PathBuf>,
        /// The API's address.
        #[serde(default = "default_fastly_api")]
        api_url: String,
        /// Soft purges let the old page be seen once more; see docs/adr.
        #[serde(default)]
        soft: bool,
        /// Every key is purged again after this.
        #[serde(default = "default_second_pass", with = "duration")]
        second_pass_after: Duration,
    },
    /// A Varnish with the rules of `deploy/varnish`.
    Varnish {
        /// Names it in logs, metrics and the outbox.
        name: String,
        /// Where it takes PURGE.
        url: String,
        /// Every key is purged again after this.
        #[serde(default = "default_second_pass", with = "duration")]
        second_pass_after: Duration,
    },
}

impl CdnSettings {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Fastly { name, .. } | Self::Varnish { name, .. } => name,
        }
    }

    /// Its kind, as in the settings.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fastly { .. } => "fastly",
            Self::Varnish { .. } => "varnish",
        }
    }

    /// How long after its last "yes" a purge may still be on its way: Fastly answers 200 when it has
    /// accepted a purge, some 150 ms before the last point of presence has made it.
    pub fn propagation(&self) -> Duration {
        match self {
            Self::Fastly { .. } => Duration::from_millis(500),
            Self::Varnish { .. } => Duration::ZERO,
        }
    }

    /// When every key is purged again.
    pub fn second_pass_after(&self) -> Duration {
        match self {
            Self::Fastly {
                second_pass_after, ..
            }
            | Self::Varnish {
                second_pass_after, ..
            } => *second_pass_after,
        }
    }
}

impl Settings {
    /// Where file links point.
    pub fn file_links(&self) -> FileLinks {
        match self.files_url.trim_end_matches('/') {
            "" => FileLinks::Relative,
            base => FileLinks::At(base.to_owned()),
        }
    }

    /// The settings as TOML, secrets hidden.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn default_retention() -> Duration {
    Duration::from_secs(30 * 24 * 3600)
}

pub(crate) fn default_fastly_api() -> String {
    "https://api.fastly.com".to_owned()
}

/// Longer than the longest origin answer plus the skew between points of presence (ADR 0004).
fn default_second_pass() -> Duration {
    Duration::from_secs(2)
}

const HIDDEN: &str = "(hidden)";

fn hidden<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if secret.expose_secret().is_empty() {
        ""
    } else {
        HIDDEN
    })
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn hidden_option<S: Serializer>(
    _: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(HIDDEN)
}

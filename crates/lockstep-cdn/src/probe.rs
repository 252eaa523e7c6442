//! Probes: reading a page back as a client would read it, through the cache that clients read from.
//!
//! Not here: what the page ought to be; a probe only tells what it saw. It sends nothing that a
//! client does not send, so that it can't see a better page than clients do.

use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::page::Form;
use lockstep_core::serial::Serial;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue};
use reqwest::{Client, StatusCode, Url};

use crate::error::SettingsError;
use crate::target::TargetName;
use crate::varnish::http_url;

/// No simple page is larger; what is, is not ours.
const MAX_PAGE: usize = 256 * 1024 * 1024;

/// One place to look from.
#[derive(Debug, Clone)]
pub struct Probe {
    name: TargetName,
    client: Client,
    url: Url,
}

/// The four ways in which caches keep a page apart.
pub const VARIANTS: [(Form, Coding); 4] = [
    (Form::Html, Coding::Identity),
    (Form::Html, Coding::Gzip),
    (Form::Json, Coding::Identity),
    (Form::Json, Coding::Gzip),
];

/// What a client accepts as the coding of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// The bytes as they are.
    Identity,
    /// Compressed.
    Gzip,
}

/// What a probe was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// A page: the hash of its identity bytes, and the serial they end with, if they do.
    Page(Sha256, Option<Serial>),
    /// 404.
    Nothing,
}

/// A look that saw nothing that could be judged.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No connection, no complete answer, or not in time.
    #[error("the probe can't be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Neither a page nor a 404.
    #[error("the probe answered {0}")]
    Status(StatusCode),
    /// Larger than any page.
    #[error("the probe's answer has more than {MAX_PAGE} bytes")]
    TooLarge,
}

impl Probe {
    /// A probe that looks through `client` (see [`crate::client`]), whose timeouts hold.
    pub fn new(client: Client, name: TargetName, url: &str) -> Result<Self, SettingsError> {
        let url = http_url(&format!("{}/", url.trim_end_matches('/'))).ok_or_else(|| {
            SettingsError::Url {
                seen: url.to_owned(),
            }
        })?;
        Ok(Self { name, client, url })
    }

    /// The name in the settings.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Reads one variant of a project's page.
    pub async fn look(
        &self,
        project: &NormalizedName,
        (form, coding): (Form, Coding),
    ) -> Result<Sight, ProbeError> {
        let unreachable = |error: reqwest::Error| ProbeError::Unreachable(error.without_url());
        let url = self
            .url
            .join(&format!("simple/{project}/"))
            .unwrap_or_else(|_| self.url.clone());
        let accept = match form {
            Form::Html => "text/html",
            Form::Json => "application/vnd.pypi.simple.v1+json",
        };
        let encoding = match coding {
            Coding::Identity => "identity",
            Coding::Gzip => "gzip",
        };
        let request = self
            .client
            .get(url)
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        // The client undoes the coding, so what is hashed is the page itself.
        let mut response = request.send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Sight::Nothing),
            other => return Err(ProbeError::Status(other)),
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > MAX_PAGE {
                return Err(ProbeError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Sight::Page(Sha256::of(&bytes), form.serial_of(&bytes)))
    }
}

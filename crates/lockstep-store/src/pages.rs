//! Pages: which one is current, and the bytes behind a hash.

use bytes::Bytes;
use lockstep_core::digest::Sha256;
use lockstep_core::name::NormalizedName;
use lockstep_core::page::Form;
use lockstep_core::serial::Serial;
use lockstep_core::status::ProjectStatus;

use crate::StoreError;
use crate::decode::{get, parsed, serial, sha256_option};
use crate::query::{self, Client, PAGES_BY_HASH, PAGES_CURRENT, PAGES_KNOWN};

/// What a project's page is at the moment of asking.
#[derive(Debug, Clone, Copy)]
pub struct CurrentPage {
    /// The project's row.
    pub project: i64,
    /// The project's last change, in the page's tail.
    pub serial: Serial,
    /// Its status marker.
    pub status: ProjectStatus,
    /// Hashes of the HTML and the JSON form; `None` when the project is gone.
    pub hashes: Option<(Sha256, Sha256)>,
}

impl CurrentPage {
    /// The hash of one form.
    pub fn hash(&self, form: Form) -> Option<Sha256> {
        self.hashes.map(|(html, json)| match form {
            Form::Html => html,
            Form::Json => json,
        })
    }
}

/// The current page of a project; `None` for a name that was never used. Linearizable: it sees every
/// commit that was acknowledged before it was asked.
pub async fn current(
    client: &impl Client,
    project: &NormalizedName,
) -> Result<Option<CurrentPage>, StoreError> {
    let row = query::row(client, PAGES_CURRENT, &[&project.as_str()]).await?;
    row.map(|row| {
        let html = sha256_option(&row, "html_sha256")?;
        let json = sha256_option(&row, "json_sha256")?;
        Ok(CurrentPage {
            project: get(&row, "id")?,
            serial: serial(&row, "last_serial")?,
            status: parsed(&row, "status")?,
            hashes: html.zip(json),
        })
    })
    .transpose()
}

/// The bytes behind a hash.
#[derive(Debug, Clone)]
pub struct Page {
    /// Which representation it is.
    pub form: Form,
    /// The serial in its tail.
    pub serial: Serial,
    /// All of its bytes, tail included.
    pub bytes: Bytes,
}

/// The page with this hash, current or replaced; `None` when it is not kept (any more).
pub async fn by_hash(client: &impl Client, hash: Sha256) -> Result<Option<Page>, StoreError> {
    let row = query::row(client, PAGES_BY_HASH, &[&hash.as_bytes()]).await?;
    row.map(|row| {
        let form = match get::<&str>(&row, "form")? {
            "html" => Form::Html,
            _ => Form::Json,
        };
        let serial = serial(&row, "serial")?;
        let body: &[u8] = get(&row, "body")?;
        let bytes = [body, form.tail(serial).as_bytes()].concat().into();
        Ok(Page {
            form,
            serial,
            bytes,
        })
    })
    .transpose()
}

/// Whether any row of the changelog ever named this hash: then the page is gone, not unknown.
pub async fn ever_known(client: &impl Client, hash: Sha256) -> Result<bool, StoreError> {
    get(
        &query::one(client, PAGES_KNOWN, &[&hash.as_bytes()]).await?,
        "known",
    )
}

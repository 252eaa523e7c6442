//! Who this index is: an id that never changes, and where its file links point.

use lockstep_core::page::FileLinks;
use uuid::Uuid;

use crate::StoreError;
use crate::decode::get;
use crate::query::{self, Client, INDEX_FIX_FILES_URL, INDEX_IDENTITY};

/// The index's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Fixed when the database is created: serials of two indexes never mix.
    pub index_id: Uuid,
    /// Where file links point.
    pub links: FileLinks,
}

/// Reads the identity; an index that was never served has relative links.
pub async fn read(client: &impl Client) -> Result<Identity, StoreError> {
    let row = query::one(client, INDEX_IDENTITY, &[]).await?;
    let links: Option<String> = get(&row, "files_url")?;
    let links = links.filter(|links| !links.is_empty());
    Ok(Identity {
        index_id: get(&row, "index_id")?,
        links: links.map_or(FileLinks::Relative, FileLinks::At),
    })
}

/// Reads the identity; `wanted` becomes the file links of an index that has none yet.
pub async fn establish(client: &impl Client, wanted: &FileLinks) -> Result<Identity, StoreError> {
    let text = match wanted {
        FileLinks::Relative => "",
        FileLinks::At(base) => base,
    };
    query::execute(client, INDEX_FIX_FILES_URL, &[&text]).await?;
    read(client).await
}

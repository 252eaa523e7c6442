//! Access tokens, by the hash of their secret.

use jiff::Timestamp;
use lockstep_core::digest::Sha256;

use crate::StoreError;
use crate::decode::get;
use crate::query::{
    self, Client, TOKENS_CREATE, TOKENS_LIST, TOKENS_REPLACE, TOKENS_REVOKE, TOKENS_USE,
};

/// A token's name is taken.
pub const NAME_TAKEN: &str = "token_name_key";

/// Keeps a token; [`StoreError::Conflict`] with [`NAME_TAKEN`] if there is one of that name.
pub async fn create(
    client: &impl Client,
    name: &str,
    secret: Sha256,
    scopes: &[String],
    expires_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    query::rows(
        client,
        TOKENS_CREATE,
        &[&name, &secret.as_bytes(), &scopes, &expires_at],
    )
    .await?;
    Ok(())
}

/// Sets the token of that name, whatever it was.
pub async fn replace(
    client: &impl Client,
    name: &str,
    secret: Sha256,
    scopes: &[String],
) -> Result<(), StoreError> {
    query::execute(
        client,
        TOKENS_REPLACE,
        &[&name, &secret.as_bytes(), &scopes],
    )
    .await?;
    Ok(())
}

/// Which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenId(pub(crate) i64);

/// A valid token.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which one.
    pub id: TokenId,
    /// What it was called.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// The valid token with this hash; notes the use.
pub async fn look_up(client: &impl Client, secret: Sha256) -> Result<Option<Found>, StoreError> {
    let row = query::row(client, TOKENS_USE, &[&secret.as_bytes()]).await?;
    row.map(|row| {
        Ok(Found {
            id: TokenId(get(&row, "id")?),
            name: get(&row, "name")?,
            scopes: get(&row, "scopes")?,
        })
    })
    .transpose()
}

/// A token as `token list` shows it.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it was called.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// All tokens, oldest first.
pub async fn list(client: &impl Client) -> Result<Vec<Token>, StoreError> {
    let rows = query::rows(client, TOKENS_LIST, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Token {
                name: get(row, "name")?,
                scopes: get(row, "scopes")?,
                created_at: get(row, "created_at")?,
                expires_at: get(row, "expires_at")?,
                revoked_at: get(row, "revoked_at")?,
                last_used_at: get(row, "last_used_at")?,
            })
        })
        .collect()
}

/// Revokes a token for good; false when there is none of that name, or it was revoked before.
pub async fn revoke(client: &impl Client, name: &str) -> Result<bool, StoreError> {
    Ok(query::execute(client, TOKENS_REVOKE, &[&name]).await? > 0)
}

//! The CDNs that have to acknowledge, as all processes agree on them.

use crate::decode::get;
use crate::query::{
    self, Client, TARGETS_FORGET, TARGETS_RECORD_FAILURE, TARGETS_RECORD_SUCCESS, TARGETS_REGISTER,
};
use crate::{StoreError, Transaction};

/// Makes `targets` (name, kind) the CDNs of this index; returns the names of those that no longer are.
/// What those still owed is forgotten with them.
pub async fn establish(
    transaction: &Transaction<'_>,
    targets: &[(String, &'static str)],
) -> Result<Vec<String>, StoreError> {
    let names: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let kinds: Vec<&str> = targets.iter().map(|(_, kind)| *kind).collect();
    query::execute(transaction, TARGETS_REGISTER, &[&names, &kinds]).await?;
    let forgotten = query::rows(transaction, TARGETS_FORGET, &[&names]).await?;
    forgotten.iter().map(|row| get(row, "name")).collect()
}

/// Notes that a CDN acknowledged, for the operator's eyes.
pub async fn record_success(client: &impl Client, target: &str) -> Result<(), StoreError> {
    query::execute(client, TARGETS_RECORD_SUCCESS, &[&target]).await?;
    Ok(())
}

/// Notes a CDN's last error, for the operator's eyes.
pub async fn record_failure(
    client: &impl Client,
    target: &str,
    error: &str,
) -> Result<(), StoreError> {
    query::execute(client, TARGETS_RECORD_FAILURE, &[&target, &error]).await?;
    Ok(())
}

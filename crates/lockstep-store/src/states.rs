//! Rendered states: what was hashed is what is served, so the bytes themselves are kept.

use lockstep_core::page::{Draft, RENDERER};

use crate::decode::get;
use crate::query::{self, STATES_CREATE};
use crate::{StoreError, Transaction};

/// Keeps a draft's bytes, before the serial is taken: a large page must not be written while every
/// other change waits.
pub async fn create(transaction: &Transaction<'_>, draft: &Draft) -> Result<i64, StoreError> {
    let row = query::one(
        transaction,
        STATES_CREATE,
        &[
            &draft.html.body(),
            &draft.json.body(),
            &draft.content,
            &RENDERER,
        ],
    )
    .await?;
    get(&row, "id")
}

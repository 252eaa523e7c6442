//! How many new files a token may still upload, counted for all processes.

use std::time::Duration;

use crate::StoreError;
use crate::decode::get;
use crate::query::{
    self, Client, UPLOAD_BUDGETS_GIVE_BACK, UPLOAD_BUDGETS_LOOK, UPLOAD_BUDGETS_TAKE,
};
use crate::tokens::TokenId;

/// Takes one upload of a budget into which one comes back every `interval`, and which is full after
/// `per`. `Ok`: taken; either way the time until the budget is full again.
pub async fn take(
    client: &impl Client,
    token: TokenId,
    interval: Duration,
    per: Duration,
) -> Result<Result<Duration, Duration>, StoreError> {
    let (interval, per) = (interval.as_secs_f64(), per.as_secs_f64());
    let taken = query::row(client, UPLOAD_BUDGETS_TAKE, &[&token.0, &interval, &per]).await?;
    if let Some(row) = taken {
        return Ok(Ok(seconds(get(&row, "full_in")?)));
    }
    let row = query::row(client, UPLOAD_BUDGETS_LOOK, &[&token.0]).await?;
    let full_in = row.map(|row| get(&row, "full_in")).transpose()?;
    // The row goes with its token.
    Ok(Err(seconds(full_in.unwrap_or(0.0))))
}

/// Gives back what was taken.
pub async fn give_back(
    client: &impl Client,
    token: TokenId,
    interval: Duration,
) -> Result<(), StoreError> {
    let interval = interval.as_secs_f64();
    query::execute(client, UPLOAD_BUDGETS_GIVE_BACK, &[&token.0, &interval]).await?;
    Ok(())
}

/// A time that has passed is none.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

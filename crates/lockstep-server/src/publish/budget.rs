//! How many new files a token may upload (`upload.rate`).
//!
//! One is taken before the body is read, so that uploads at the same time can't overdraw, and given
//! back when nothing new came of it: what was refused, or was there already, costs nothing. Not here:
//! the counting, which PostgreSQL does for all processes. Invariant: a budget that could not be asked
//! refuses with 503; it never lets through unasked.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lockstep_store::tokens::TokenId;
use lockstep_store::{StoreError, upload_budgets};

use crate::app::App;
use crate::error::ApiError;
use crate::settings::rate::{Rate, whole_seconds};

/// What is left of a token's budget, for the answer (draft-ietf-httpapi-ratelimit-headers-10).
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    rate: Rate,
    full_in: Duration,
}

/// One upload taken out of a budget. Dropped without a word, as when the client goes away, it is given
/// back; a process that is killed keeps it.
pub(super) struct Taken {
    app: App,
    token: TokenId,
    left: Left,
    open: bool,
}

/// Takes one, or refuses with 429 and says what is left; nothing without a setting.
pub(super) async fn take(
    app: &App,
    token: TokenId,
) -> Result<Option<Taken>, (ApiError, Option<Left>)> {
    let Some(rate) = app.settings.upload.rate else {
        return Ok(None);
    };
    let ask = async {
        let connection = app.store.connection().await?;
        upload_budgets::take(&connection, token, rate.interval(), rate.per()).await
    };
    let answer: Result<_, StoreError> = ask.await;
    match answer.map_err(|error| (error.into(), None))? {
        Ok(full_in) => Ok(Some(Taken {
            app: app.clone(),
            token,
            left: Left { rate, full_in },
            open: true,
        })),
        Err(full_in) => Err((over(rate, full_in), Some(Left { rate, full_in }))),
    }
}

fn over(rate: Rate, full_in: Duration) -> ApiError {
    let wait = rate.next_in(full_in);
    let message = format!("Too many uploads with this token: {rate}. Try again in {wait} s.");
    let status = StatusCode::TOO_MANY_REQUESTS;
    ApiError::new(status, "too-many-uploads-of-token", message).retry_after(wait)
}

impl Taken {
    /// Something new was made: it stays taken.
    pub(super) fn keep(mut self) -> Left {
        self.open = false;
        self.left
    }

    /// Nothing new was made. Should the database fail at this very moment, it stays taken.
    pub(super) async fn give_back(mut self) -> Left {
        self.open = false;
        let Left { rate, full_in } = self.left;
        match return_to(&self.app, self.token, rate.interval()).await {
            Ok(()) => Left {
                rate,
                full_in: full_in.saturating_sub(rate.interval()),
            },
            Err(_) => self.left,
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.open {
            let (app, token, interval) = (self.app.clone(), self.token, self.left.rate.interval());
            tokio::spawn(async move { return_to(&app, token, interval).await });
        }
    }
}

async fn return_to(app: &App, token: TokenId, interval: Duration) -> Result<(), StoreError> {
    let connection = app.store.connection().await?;
    let returned = upload_budgets::give_back(&connection, token, interval).await;
    if let Err(error) = &returned {
        tracing::debug!("an upload was not given back to its budget: {error}");
    }
    returned
}

impl Left {
    /// `RateLimit-Policy` and `RateLimit`: how many in how many seconds, how many are left, and when
    /// all are there again.
    pub(super) fn show(self, headers: &mut HeaderMap) {
        let (count, per) = (self.rate.count(), self.rate.per().as_secs());
        let left = self.rate.left(self.full_in);
        let full_in = if self.full_in.is_zero() {
            0
        } else {
            whole_seconds(self.full_in)
        };
        for (name, value) in [
            ("ratelimit-policy", format!("\"upload\";q={count};w={per}")),
            ("ratelimit", format!("\"upload\";r={left};t={full_in}")),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

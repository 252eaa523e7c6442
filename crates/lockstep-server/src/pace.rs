//! A request's body, which may be slow but must come: not stand still, and not trickle for ever.
//!
//! There is no time for the whole: a large file on a slow line takes as long as it takes. Time in which
//! we were busy with what had come does not count. Invariant: a body that errs here has raised the flag
//! that makes the answer a 408.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::settings::LimitSettings;

/// The client sent too little in too much time.
#[derive(Debug, thiserror::Error)]
#[error("the request's body came too slowly")]
struct TooSlow;

/// A body with a clock.
pub(crate) struct Paced {
    body: Body,
    /// Raised when the client was too slow.
    slow: Arc<AtomicBool>,
    standstill: Duration,
    bytes_a_second: u64,
    received: u64,
    /// How long the client was waited for, before the wait that may be going on.
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Paced {
    pub(crate) fn new(body: Body, limits: &LimitSettings, slow: Arc<AtomicBool>) -> Self {
        Self {
            body,
            slow,
            standstill: limits.body_timeout,
            bytes_a_second: limits.min_body_rate.as_u64(),
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// How long it may be waited now: until it stands still, or has fallen behind its pace. At the
    /// beginning it has as much time as a standstill.
    fn patience(&self) -> Duration {
        let earned = Duration::from_secs(self.received / self.bytes_a_second);
        let behind = (self.standstill + earned).saturating_sub(self.waited);
        behind.min(self.standstill)
    }

    /// Nothing is there. Ready when that has lasted too long.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience();
        let (_, timer) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(tokio::time::sleep_until(now + patience)))
        });
        timer.as_mut().poll(context)
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.slow.load(Ordering::Relaxed) {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.poll_patience(context));
            self.slow.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(axum::Error::new(TooSlow))));
        };
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.received = self.received.saturating_add(bytes as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

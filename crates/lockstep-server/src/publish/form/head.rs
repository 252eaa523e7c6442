//! The body as the multipart reader gets it: one piece at a time, and not too many before a part's head
//! is complete.
//!
//! The reader takes all that the connection has before it gives anything out, and looks for the end of
//! a head however far away that is, each time from the beginning. Left to itself it would hold what a
//! fast client sends in memory, and spend a long time on a head that never ends.
//!
//! Not here: the limits of fields and files; who reads them counts them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

/// What may come before a part's head is complete, in bytes: its boundary, name and type.
const MAX_HEAD: usize = 64 * 1024;

/// How many more bytes may be read. Shared by the stream and by who knows when a head begins.
#[derive(Clone)]
pub(super) struct HeadLimit(Arc<AtomicUsize>);

impl Default for HeadLimit {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(MAX_HEAD)))
    }
}

impl HeadLimit {
    /// From here on a head is read.
    pub(super) fn begin(&self) {
        self.0.store(MAX_HEAD, Ordering::Relaxed);
    }

    /// It is complete: what follows is a value.
    pub(super) fn end(&self) {
        self.0.store(usize::MAX, Ordering::Relaxed);
    }

    /// Whether the head took all that it may.
    pub(super) fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// A head that does not end.
#[derive(Debug, thiserror::Error)]
#[error("the head of a part is larger than {MAX_HEAD} bytes")]
pub(super) struct TooLong;

/// The body, at its reader's pace.
pub(super) struct Paced<'a> {
    body: &'a mut BodyDataStream,
    head: HeadLimit,
    /// A piece was given out; the reader has to look at it before the next.
    given: bool,
}

impl<'a> Paced<'a> {
    /// All of `body`.
    pub(super) fn new(body: &'a mut BodyDataStream, head: HeadLimit) -> Self {
        Self {
            body,
            head,
            given: false,
        }
    }
}

impl Stream for Paced<'_> {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.given) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.head.is_reached() {
            return Poll::Ready(Some(Err(TooLong.into())));
        }
        let piece = std::task::ready!(self.body.poll_next_unpin(context));
        if let Some(Ok(bytes)) = &piece {
            self.given = true;
            let left = self.head.0.load(Ordering::Relaxed);
            self.head
                .0
                .store(left.saturating_sub(bytes.len()), Ordering::Relaxed);
        }
        Poll::Ready(piece.map(|piece| piece.map_err(Into::into)))
    }
}

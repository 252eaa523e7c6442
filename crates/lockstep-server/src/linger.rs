//! An early refusal that the client can hear.
//!
//! Package clients send their whole body before they read the answer. Closing the connection on the
//! unread rest would reset it, and the client would report a broken pipe instead of the reason. So
//! the answer goes out at once, and the rest of the body is read and thrown away, for a while.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _};
use tokio::time::Sleep;

/// How long the rest of a refused body is put up with.
const PATIENCE: Duration = Duration::from_secs(30);

/// `response`, whose end comes when the request's body has ended, or after a while.
pub(crate) fn until_sent(response: Response, rest: BodyDataStream) -> Response {
    let (mut parts, body) = response.into_parts();
    // The length would tell the client's side, and ours, that all is said before it is.
    parts.headers.remove(CONTENT_LENGTH);
    let lingering = Drain {
        rest,
        deadline: Box::pin(tokio::time::sleep(PATIENCE)),
        done: false,
    };
    let stream = body.into_data_stream().chain(lingering);
    Response::from_parts(parts, Body::from_stream(stream))
}

struct Drain {
    rest: BodyDataStream,
    deadline: Pin<Box<Sleep>>,
    done: bool,
}

impl Stream for Drain {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.done {
            if self.deadline.as_mut().poll(context).is_ready() {
                self.done = true;
                break;
            }
            match self.rest.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => self.done = true,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(None)
    }
}

//! A client's socket, which does not wait for ever: not for the head of a request, not for the next
//! request, not for a client that takes nothing of its answer.
//!
//! Not here: bodies, which may be slow but not stand still (`crate::pace`). Invariant: whenever the
//! connection waits for the client, a timer runs; while a request is being answered, none does.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::settings::LimitSettings;

/// Said to a client whose request's head does not come to its end.
const HEAD_TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 45\r\n\r\n\
    The head of the request did not come in time\n";

/// What a connection is doing.
#[derive(Debug, Default)]
pub(super) struct Doing {
    /// A request's head has come, and its answer is not yet made to the end.
    answering: AtomicBool,
    /// Part of a head has come.
    reading: AtomicBool,
}

impl Doing {
    /// A whole head is there.
    pub(super) fn begin_answer(&self) {
        self.reading.store(false, Ordering::Relaxed);
        self.answering.store(true, Ordering::Relaxed);
    }

    /// The answer is made.
    pub(super) fn end_answer(&self) {
        self.answering.store(false, Ordering::Relaxed);
    }

    /// Nothing was asked, not even in part.
    pub(super) fn nothing(&self) -> bool {
        !self.answering.load(Ordering::Relaxed) && !self.reading.load(Ordering::Relaxed)
    }
}

/// The socket with its timers.
pub(super) struct Line {
    stream: TcpStream,
    doing: Arc<Doing>,
    head_timeout: Duration,
    idle_timeout: Duration,
    answer_timeout: Duration,
    next_head: Option<Pin<Box<Sleep>>>,
    answer: Option<Pin<Box<Sleep>>>,
}

impl Line {
    pub(super) fn new(stream: TcpStream, doing: Arc<Doing>, limits: &LimitSettings) -> Self {
        Self {
            stream,
            doing,
            head_timeout: limits.head_timeout,
            idle_timeout: limits.idle_timeout,
            answer_timeout: limits.answer_timeout,
            next_head: None,
            answer: None,
        }
    }

    /// Bytes came while nothing is being answered: a head begins, or goes on.
    fn note_read(&mut self) {
        if self.doing.nothing() {
            self.doing.reading.store(true, Ordering::Relaxed);
            let deadline = Instant::now() + self.head_timeout;
            self.next_head = Some(Box::pin(tokio::time::sleep_until(deadline)));
        }
    }

    /// Nothing comes. Ready when that has lasted too long.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.doing.answering.load(Ordering::Relaxed) {
            self.next_head = None;
            return Poll::Pending;
        }
        let idle = self.idle_timeout;
        let timer = self
            .next_head
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        timer.as_mut().poll(context)
    }

    /// Whether the client takes nothing for too long.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let patience = self.answer_timeout;
        let timer = self
            .answer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        timer
            .as_mut()
            .poll(context)
            .map(|()| io::Error::from(io::ErrorKind::TimedOut))
    }

    fn written(
        &mut self,
        result: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            self.answer = None;
            return result;
        }
        self.poll_stalled(context).map(Err)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if read.is_ready() {
            if into.filled().len() > before {
                self.note_read();
            }
            return read;
        }
        if self.poll_patience(context).is_pending() {
            return Poll::Pending;
        }
        if !self.doing.nothing() {
            // All answers are out, so this is the next thing that the client reads; if it can't take
            // even that, there is nobody to tell.
            let _ = self.stream.try_write(HEAD_TOO_SLOW);
        }
        // As if the client had closed.
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(result, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(result, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

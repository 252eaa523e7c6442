//! Connections: accepted up to a number, served as HTTP/1.1, ended with the process.
//!
//! HTTP/2 is not spoken: CDNs speak HTTP/1.1 to origins, and what is not there needs no limits. Not
//! here: what a request may be (`crate::guard`). Invariant: a connection holds one of the slots from
//! its first byte to its last, so that no more than `limits.max_connections` are served at a time.

use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::line::{Doing, Line};
use crate::settings::LimitSettings;

/// Who opened the connection that a request came on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// How often a full house is told to the log.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Connections that are told that the house is full, at a time; beyond them they are just closed.
const MOST_TURNED_AWAY: usize = 64;
/// How long such a connection is read before it is closed: closed on unread bytes it would be reset,
/// and the client would not see its answer.
const TURNING_AWAY: Duration = Duration::from_secs(1);
/// hyper's own answers have no text. It is given room beyond our limits, so that most who overstep
/// them get a sentence, and only what is far beyond gets the bare status.
const ROOM: usize = 2;

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
    cache-control: no-store\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 52\r\n\r\n\
    Too many connections at a time; try again in a while";

/// Open files beside the connections: the database, blobs, the spool.
const OTHER_FILES: u64 = 512;

/// A connection is an open file, of which a process may have 1024 unless it asks for more.
fn allow_files(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = (connections as u64).saturating_add(OTHER_FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return;
    }
    let raised = Some(maximum.map_or(needed, |maximum| maximum.min(needed)));
    let limit = Rlimit {
        current: raised,
        maximum,
    };
    if setrlimit(Resource::Nofile, limit).is_err() || raised != Some(needed) {
        tracing::warn!(
            needed,
            "the process may not open enough files for `limits.max_connections`: raise its `ulimit -n`, or \
             lower the setting"
        );
    }
}

/// Accepts until the end is asked for, then lets what is being answered come to its end.
pub(super) async fn accept_all(
    listener: TcpListener,
    router: Router,
    limits: LimitSettings,
    shutdown: CancellationToken,
) {
    allow_files(limits.max_connections);
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let turned_away = Arc::new(Semaphore::new(MOST_TURNED_AWAY));
    let limits = Arc::new(limits);
    let connections = TaskTracker::new();
    let mut told: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        // Small answers must not wait for more to come; failing to say so costs only speed.
        let _ = stream.set_nodelay(true);
        if let Ok(slot) = slots.clone().try_acquire_owned() {
            let serving = serve(
                stream,
                peer,
                router.clone(),
                limits.clone(),
                shutdown.clone(),
            );
            connections.spawn(async move {
                serving.await;
                drop(slot);
            });
            continue;
        }
        if told.is_none_or(|told| told.elapsed() > TELL_EVERY) {
            told = Some(Instant::now());
            tracing::warn!(
                connections = limits.max_connections,
                "as many connections as `limits.max_connections` allows; more are answered 503"
            );
        }
        if let Ok(place) = turned_away.clone().try_acquire_owned() {
            connections.spawn(async move {
                let _ = tokio::time::timeout(TURNING_AWAY, turn_away(stream)).await;
                drop(place);
            });
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// A connection that broke while it was accepted is its client's affair; anything else is ours (no
/// more open files), and a pause keeps it from filling the log.
async fn pause_after(error: &std::io::Error) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        return;
    }
    tracing::error!("can't accept connections: {error}; may the process open enough files?");
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn turn_away(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Arc<LimitSettings>,
    shutdown: CancellationToken,
) {
    let doing = Arc::<Doing>::default();
    let line = Line::new(stream, doing.clone(), &limits);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        doing.begin_answer();
        request.extensions_mut().insert(Peer(peer.ip()));
        let answer = router.call(request.map(Body::new));
        let doing = doing.clone();
        async move {
            let response: Response = answer.await?;
            Ok::<_, std::convert::Infallible>(response.map(|body| Told { body, doing }))
        }
    });
    let mut connection = pin!(builder(&limits).serve_connection(TokioIo::new(line), service));
    let mut ending = false;
    loop {
        tokio::select! {
            // What clients do wrong on a connection is no news.
            _ = connection.as_mut() => return,
            () = shutdown.cancelled(), if !ending => {
                // A connection on which nothing was asked is no reason to wait.
                if doing.nothing() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                ending = true;
            }
        }
    }
}

fn builder(limits: &LimitSettings) -> http1::Builder {
    let bytes = |size: bytesize::ByteSize| usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
    let head = bytes(limits.max_header_size).saturating_add(bytes(limits.max_url_length));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The line knows better; but with this set hyper looks at the line whenever an answer is out.
        .header_read_timeout(limits.idle_timeout.saturating_add(limits.head_timeout))
        .max_headers(limits.max_headers.saturating_mul(ROOM))
        .max_header_size(head.saturating_mul(ROOM));
    builder
}

/// An answer's body, at whose end the connection begins to wait for the next request.
struct Told {
    body: Body,
    doing: Arc<Doing>,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.doing.end_answer();
    }
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

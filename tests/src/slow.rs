//! A slow way to the origin: answers are fetched at once and delivered late, so that a cache can be
//! made to store what was true before a commit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

struct Shared {
    origin: SocketAddr,
    delay_ms: AtomicU64,
    /// Simple pages fetched so far.
    fetches: AtomicU64,
    http: reqwest::Client,
}

/// A running proxy. It ends with the test's runtime.
pub struct SlowWay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl SlowWay {
    /// A way to `origin`, fast until told otherwise.
    pub async fn start(origin: SocketAddr) -> anyhow::Result<Self> {
        // Codings are passed through as they are.
        let http = reqwest::Client::builder().no_gzip().build()?;
        let shared = Arc::new(Shared {
            origin,
            delay_ms: AtomicU64::new(0),
            fetches: AtomicU64::new(0),
            http,
        });
        let router = Router::new().fallback(pass).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared })
    }

    /// Where caches fetch from.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many simple pages caches have fetched.
    pub fn fetches(&self) -> u64 {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// From now on simple pages are delivered so much later than they were fetched.
    pub fn delay(&self, delay: Duration) {
        self.shared
            .delay_ms
            .store(delay.as_millis().try_into().unwrap_or(0), Ordering::SeqCst);
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let delay = Duration::from_millis(shared.delay_ms.load(Ordering::SeqCst));
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let url = format!("http://{}{path}", shared.origin);
    let slow = path.starts_with("/simple/");
    if slow {
        shared.fetches.fetch_add(1, Ordering::SeqCst);
    }
    let mut onward = shared.http.request(request.method().clone(), url);
    for (name, value) in request.headers() {
        if name != "host" && name != "connection" {
            onward = onward.header(name, value);
        }
    }
    let Ok(answer) = onward.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let Ok(bytes) = answer.bytes().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    if slow {
        tokio::time::sleep(delay).await;
    }
    let mut response = (status, Body::from(bytes)).into_response();
    for (name, value) in &headers {
        if name != "transfer-encoding" && name != "content-length" {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

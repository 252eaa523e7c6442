//! A fake of Fastly's purge API in front of real caches, faults included.
//!
//! What it imitates (facts: cdn §1): batches of at most 256 keys, an id per key, the token, 429 with
//! `Fastly-RateLimit-Reset`, HTML error bodies, and above all that 200 means *accepted*: every point
//! of presence is purged later, each after its own delay.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

/// The token that the fake takes.
pub const FASTLY_TOKEN: &str = "fastly-test-token";

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Accepted, and never carried out.
    Lost,
    /// 503 with an HTML body.
    Unavailable,
    /// 429, to be tried again in two seconds.
    RateLimited,
    /// 200 with an HTML body.
    Html,
    /// Purged, but the answer never arrives.
    Reset,
}

struct Shared {
    pops: Vec<(String, Duration)>,
    /// Faults of the next calls, in order; then none.
    faults: Mutex<Vec<Fault>>,
    calls: AtomicUsize,
    http: reqwest::Client,
}

/// A running fake. It ends with the test's runtime.
pub struct FakeFastly {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl FakeFastly {
    /// A fake that purges these caches (their URLs), each so long after the call.
    pub async fn start(pops: Vec<(String, Duration)>) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            pops,
            faults: Mutex::default(),
            calls: AtomicUsize::new(0),
            http: reqwest::Client::new(),
        });
        let router = Router::new()
            .route("/service/{service}/purge", post(purge))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared })
    }

    /// The `[[cdn]]` table that points at it.
    pub fn settings(&self, second_pass_after: &str) -> String {
        format!(
            "[[cdn]]\nname='fastly'\nkind='fastly'\nservice_id='svc1'\ntoken='{FASTLY_TOKEN}'\n\
             api_url='http://{}'\nsecond_pass_after='{second_pass_after}'\n",
            self.address
        )
    }

    /// The next calls fail like this, in order.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        if let Ok(mut next) = self.shared.faults.lock() {
            next.extend(faults);
        }
    }

    /// Calls so far.
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

async fn purge(
    State(shared): State<Arc<Shared>>,
    Path(service): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    shared.calls.fetch_add(1, Ordering::SeqCst);
    if headers
        .get("fastly-key")
        .is_none_or(|key| key != FASTLY_TOKEN)
    {
        let text = r#"{"msg":"Provided credentials are missing or invalid"}"#;
        return (StatusCode::UNAUTHORIZED, text).into_response();
    }
    let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let keys: Vec<String> = body["surrogate_keys"]
        .as_array()
        .map(|keys| {
            keys.iter()
                .filter_map(|key| Some(key.as_str()?.to_owned()))
                .collect()
        })
        .unwrap_or_default();
    if service != "svc1" || keys.is_empty() || keys.len() > 256 {
        let text = r#"{"status":"fail","reason":"Batch surrogate key request only supports up to 256 surrogate keys"}"#;
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    let fault = shared.faults.lock().ok().and_then(|mut next| {
        if next.is_empty() {
            None
        } else {
            Some(next.remove(0))
        }
    });
    match fault {
        Some(Fault::Unavailable) => {
            let html = "<html><h1>503 Service Unavailable</h1></html>";
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                [("content-type", "text/html")],
                html,
            )
                .into_response();
        }
        Some(Fault::Html) => return "<html>We will be back</html>".into_response(),
        Some(Fault::RateLimited) => {
            let now = std::time::UNIX_EPOCH
                .elapsed()
                .unwrap_or_default()
                .as_secs();
            let reset = [("fastly-ratelimit-reset", (now + 2).to_string())];
            return (
                StatusCode::TOO_MANY_REQUESTS,
                reset,
                r#"{"msg":"rate limit"}"#,
            )
                .into_response();
        }
        Some(Fault::Lost) => {}
        Some(Fault::Reset) | None => fan_out(&shared, &keys),
    }
    if fault == Some(Fault::Reset) {
        // A body that breaks off: the caller can't know whether it happened.
        let broken = futures_util::stream::iter([Err::<String, _>(std::io::Error::other("reset"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    let ids: serde_json::Map<_, _> = keys
        .into_iter()
        .enumerate()
        .map(|(n, key)| (key, format!("108-{n}").into()))
        .collect();
    axum::Json(ids).into_response()
}

/// Each point of presence hears of it after its own delay.
fn fan_out(shared: &Arc<Shared>, keys: &[String]) {
    for (url, delay) in shared.pops.clone() {
        let (http, keys) = (shared.http.clone(), keys.join(" "));
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Ok(method) = reqwest::Method::from_bytes(b"PURGE") {
                let purge = http
                    .request(method, format!("{url}/"))
                    .header("xkey-purge", keys);
                let _ = purge.send().await;
            }
        });
    }
}

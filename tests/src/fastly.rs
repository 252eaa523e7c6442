//! A fake of Fastly's purge API in front of real caches, faults included.
//!
//! What it imitates: batches of at most 256 keys, an id per key, the token, 429 with
//! `Fastly-RateLimit-Reset`, HTML error bodies, and above all that 200 means *accepted*: every point
//! of presence is purged later, each after its own delay. Soft purges too, at caches that know them.
//! And the edge check: what each cache answers to a GET, by its MD5.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use lockstep_core::digest::Md5;

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
    /// No answer for half a minute.
    Timeout,
    /// Only the first point of presence is in the answer (of the edge check).
    Partial,
}

struct Shared {
    pops: Vec<(String, Duration)>,
    /// Faults of the next calls, in order; then none.
    faults: Mutex<Vec<Fault>>,
    calls: AtomicUsize,
    /// The same of the edge check.
    check_faults: Mutex<Vec<Fault>>,
    checks: AtomicUsize,
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
            check_faults: Mutex::default(),
            checks: AtomicUsize::new(0),
            // As it comes: what is hashed is what a cache sends.
            http: reqwest::Client::builder().no_gzip().build()?,
        });
        let router = Router::new()
            .route("/service/{service}/purge", post(purge))
            .route("/content/edge_check", get(edge_check))
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

    /// The `[[probe]]` table of an edge check that asks it about the site at `url`.
    pub fn edge_check(&self, url: &str) -> String {
        format!(
            "[[probe]]\nname='every-pop'\nkind='fastly-edge-check'\nurl='{url}'\n\
             token='{FASTLY_TOKEN}'\napi_url='http://{}'\n",
            self.address
        )
    }

    /// The next edge checks fail like this, in order.
    pub fn fail_next_checks(&self, faults: impl IntoIterator<Item = Fault>) {
        if let Ok(mut next) = self.shared.check_faults.lock() {
            next.extend(faults);
        }
    }

    /// Edge checks so far.
    pub fn checks(&self) -> usize {
        self.shared.checks.load(Ordering::SeqCst)
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
    if let Some(answer) = stranger(&headers) {
        return answer;
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
    let fault = next(&shared.faults);
    if let Some(answer) = trouble(fault).await {
        return answer;
    }
    if fault != Some(Fault::Lost) {
        fan_out(&shared, &keys, headers.contains_key("fastly-soft-purge"));
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

fn stranger(headers: &HeaderMap) -> Option<Response> {
    if headers
        .get("fastly-key")
        .is_some_and(|key| key == FASTLY_TOKEN)
    {
        return None;
    }
    let text = r#"{"msg":"Provided credentials are missing or invalid"}"#;
    Some((StatusCode::UNAUTHORIZED, text).into_response())
}

fn next(faults: &Mutex<Vec<Fault>>) -> Option<Fault> {
    let mut faults = faults.lock().ok()?;
    if faults.is_empty() {
        None
    } else {
        Some(faults.remove(0))
    }
}

/// The answers that have nothing to do with the call.
async fn trouble(fault: Option<Fault>) -> Option<Response> {
    match fault? {
        Fault::Unavailable => {
            let html = "<html><h1>503 Service Unavailable</h1></html>";
            let kind = [("content-type", "text/html")];
            Some((StatusCode::SERVICE_UNAVAILABLE, kind, html).into_response())
        }
        Fault::Html => Some("<html>We will be back</html>".into_response()),
        Fault::RateLimited => {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            let reset = [("fastly-ratelimit-reset", (now.as_secs() + 2).to_string())];
            let text = r#"{"msg":"rate limit"}"#;
            Some((StatusCode::TOO_MANY_REQUESTS, reset, text).into_response())
        }
        Fault::Timeout => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            Some(StatusCode::GATEWAY_TIMEOUT.into_response())
        }
        Fault::Lost | Fault::Reset | Fault::Partial => None,
    }
}

/// What each cache answers, asked as nobody else asks: without `Accept` and codings.
async fn edge_check(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    shared.checks.fetch_add(1, Ordering::SeqCst);
    if let Some(answer) = stranger(&headers) {
        return answer;
    }
    let fault = next(&shared.check_faults);
    if let Some(answer) = trouble(fault).await {
        return answer;
    }
    let url = query.get("url").map_or("", String::as_str);
    let path = reqwest::Url::parse(url).map_or_else(|_| "/".to_owned(), |url| url.path().into());
    let mut pops = Vec::new();
    for (number, (pop, _)) in shared.pops.iter().enumerate() {
        let Ok(answer) = shared.http.get(format!("{pop}{path}")).send().await else {
            continue;
        };
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap_or_default();
        pops.push(serde_json::json!({
            "pop": format!("POP{number}"), "server": format!("cache-pop{number}-POP{number}"),
            "hash": Md5::of(&bytes).to_string(), "request": {"headers": {}},
            "response": {"status": status, "headers": {}}, "response_time": 0.01,
        }));
    }
    if fault == Some(Fault::Partial) {
        pops.truncate(1);
    }
    axum::Json(pops).into_response()
}

/// Each point of presence hears of it after its own delay.
fn fan_out(shared: &Arc<Shared>, keys: &[String], soft: bool) {
    let header = if soft { "xkey-softpurge" } else { "xkey-purge" };
    for (url, delay) in shared.pops.clone() {
        let (http, keys) = (shared.http.clone(), keys.join(" "));
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Ok(method) = reqwest::Method::from_bytes(b"PURGE") {
                let purge = http.request(method, format!("{url}/")).header(header, keys);
                let _ = purge.send().await;
            }
        });
    }
}

//! Sites that lie: a way to the index that tampers with what passes, and a mirror's folder served as
//! a plain web server would.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

/// What is done to an answer.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// It is 404.
    Gone,
    /// One of its bytes is another.
    Flip,
    /// Its second half is missing.
    Cut,
    /// It has these bytes.
    Instead(Vec<u8>),
}

impl Fault {
    /// What becomes of these bytes; `None`: nothing.
    pub(super) fn apply(&self, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::Gone => return None,
            Self::Flip => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            Self::Cut => bytes.truncate(bytes.len() / 2),
            Self::Instead(other) => bytes.clone_from(other),
        }
        Some(bytes)
    }
}

/// Faults by how the path ends, and whether for JSON, for the rest, or for either.
type Faults = Arc<Mutex<Vec<(String, Option<bool>, Fault)>>>;

/// A proxy before an index. It ends with the test's runtime.
pub(super) struct Way {
    address: SocketAddr,
    faults: Faults,
}

#[derive(Clone)]
struct Passage {
    origin: SocketAddr,
    http: reqwest::Client,
    faults: Faults,
}

impl Way {
    pub(super) async fn start(origin: SocketAddr) -> anyhow::Result<Self> {
        let faults = Faults::default();
        let http = reqwest::Client::builder().no_gzip().build()?;
        let passage = Passage {
            origin,
            http,
            faults: faults.clone(),
        };
        let address = serve(Router::new().fallback(pass).with_state(passage)).await?;
        Ok(Self { address, faults })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn at(&self, end: &str, json: Option<bool>, fault: Fault) {
        let fault = (end.to_owned(), json, fault);
        self.faults
            .lock()
            .expect("no test panics with it")
            .push(fault);
    }
}

async fn serve(router: Router) -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

fn wants_json(request: &Request) -> bool {
    let accept = request.headers().get("accept");
    accept.is_some_and(|accept| accept.as_bytes().ends_with(b"v1+json"))
}

async fn pass(State(passage): State<Passage>, request: Request) -> Response {
    let (path, json) = (request.uri().path().to_owned(), wants_json(&request));
    let fault = passage.faults.lock();
    let fault = fault
        .expect("no test panics with it")
        .iter()
        .find_map(|fault| {
            let fits = path.ends_with(&fault.0) && fault.1.is_none_or(|only| only == json);
            fits.then(|| fault.2.clone())
        });
    let url = format!("http://{}{}", passage.origin, request.uri());
    let mut onward = passage.http.request(request.method().clone(), url);
    for (name, value) in request.headers() {
        // Faults are made to the bytes without a coding.
        let coding = name == "accept-encoding" && fault.is_some();
        if name != "host" && name != "connection" && !coding {
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
    let bytes = match fault {
        None => bytes.to_vec(),
        Some(fault) => match fault.apply(bytes.to_vec()) {
            None => return StatusCode::NOT_FOUND.into_response(),
            Some(bytes) => bytes,
        },
    };
    let mut response = (status, bytes).into_response();
    for (name, value) in &headers {
        if name != "transfer-encoding" && name != "content-length" {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

/// A mirror's `web` over HTTP.
pub(super) struct Folder;

impl Folder {
    /// Serves a folder; returns its address.
    pub(super) async fn serve(web: PathBuf) -> anyhow::Result<String> {
        let router = Router::new().fallback(file).with_state(web);
        Ok(format!("http://{}", serve(router).await?))
    }
}

/// Folders are negotiated, as bandersnatch's sample of a web server's settings does.
async fn file(State(web): State<PathBuf>, request: Request) -> Response {
    let mut path = web.join(request.uri().path().trim_start_matches('/'));
    if path.is_dir() {
        path.push(if wants_json(&request) {
            "index.v1_json"
        } else {
            "index.html"
        });
    }
    match fs::read(path) {
        Ok(bytes) => bytes.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

//! A fake of an S3-compatible object store: what the index asks of one, faults included.
//!
//! In memory, path style, no signatures checked. It imitates what matters here: multipart uploads that
//! exist only when completed, ranges, listing by prefix, and 503 "slow down".

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

type Parts = BTreeMap<u32, Bytes>;

#[derive(Default)]
struct Content {
    objects: BTreeMap<String, Bytes>,
    uploads: BTreeMap<String, Parts>,
    /// So many writes are answered 503 from now on.
    failing: usize,
}

/// A running fake. It ends with the test's runtime.
pub struct FakeS3 {
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

impl FakeS3 {
    /// An empty bucket named `bucket`.
    pub async fn start() -> anyhow::Result<Self> {
        let content: Arc<Mutex<Content>> = Arc::default();
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(content.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, content })
    }

    /// The environment that leads an index here.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "test-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The keys that are there.
    pub fn keys(&self) -> Vec<String> {
        self.content
            .lock()
            .map(|it| it.objects.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The next `count` writes are answered 503.
    pub fn fail_writes(&self, count: usize) {
        if let Ok(mut content) = self.content.lock() {
            content.failing = count;
        }
    }
}

async fn answer(
    State(content): State<Arc<Mutex<Content>>>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(mut content) = content.lock() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Some(path) = uri.path().strip_prefix("/bucket") else {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let key = path.trim_start_matches('/').to_owned();
    if (method == Method::PUT || method == Method::POST) && content.failing > 0 {
        content.failing -= 1;
        return error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
    }
    match (method, query.get("uploadId")) {
        (Method::POST, None) if query.contains_key("uploads") => {
            let id = format!("upload-{}", content.uploads.len());
            content.uploads.insert(id.clone(), Parts::new());
            xml(&format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        (Method::POST, None) if query.contains_key("delete") => delete_all(&mut content, &body),
        (Method::PUT, Some(id)) => {
            let number = query
                .get("partNumber")
                .and_then(|number| number.parse().ok());
            let Some((parts, number)) = content.uploads.get_mut(id).zip(number) else {
                return error(StatusCode::NOT_FOUND, "NoSuchUpload");
            };
            parts.insert(number, body);
            [("etag", format!("\"part-{number}\""))].into_response()
        }
        (Method::POST, Some(id)) => {
            let Some(parts) = content.uploads.remove(id) else {
                return error(StatusCode::NOT_FOUND, "NoSuchUpload");
            };
            let whole: Vec<u8> = parts.values().flat_map(|part| part.to_vec()).collect();
            content.objects.insert(key, whole.into());
            xml(
                "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>",
            )
        }
        (Method::PUT, None) => {
            content.objects.insert(key, body);
            [("etag", "\"whole\"")].into_response()
        }
        (Method::DELETE, _) => {
            content.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        (Method::GET, None) if query.contains_key("list-type") => list(&content, &query),
        (Method::GET | Method::HEAD, _) => read(&content, &key, &headers),
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn read(content: &Content, key: &str, headers: &HeaderMap) -> Response {
    let Some(object) = content.objects.get(key) else {
        return error(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    let size = object.len();
    let common = [
        ("etag", "\"whole\""),
        ("last-modified", "Sun, 22 Nov 2026 01:02:03 GMT"),
    ];
    let range = headers
        .get("range")
        .and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return (common, object.clone()).into_response();
    };
    let (first, last) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, last.min(size.saturating_sub(1))),
        (Ok(first), Err(_)) => (first, size.saturating_sub(1)),
        (Err(_), Ok(suffix)) => (size.saturating_sub(suffix), size.saturating_sub(1)),
        _ => return error(StatusCode::BAD_REQUEST, "InvalidArgument"),
    };
    if first >= size || first > last {
        return error(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
    }
    let shown = [("content-range", format!("bytes {first}-{last}/{size}"))];
    let part = object.slice(first..=last);
    (StatusCode::PARTIAL_CONTENT, common, shown, part).into_response()
}

fn list(content: &Content, query: &BTreeMap<String, String>) -> Response {
    let prefix = query.get("prefix").map(String::as_str).unwrap_or_default();
    let found = content
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix));
    let mut rows = String::new();
    for (key, object) in found {
        let size = object.len().to_string();
        let row = ["<Contents><Key>", key, "</Key><Size>", &size, "</Size>"].concat();
        rows.push_str(&row);
        rows.push_str("<LastModified>2026-11-22T01:02:03.000Z</LastModified>");
        rows.push_str("<ETag>\"whole\"</ETag></Contents>");
    }
    xml(&format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
    ))
}

/// The bulk form, by which the client deletes even one.
fn delete_all(content: &mut Content, body: &Bytes) -> Response {
    let text = String::from_utf8_lossy(body).into_owned();
    let keys = text
        .split("<Key>")
        .skip(1)
        .filter_map(|rest| rest.split("</Key>").next());
    let mut rows = String::new();
    for key in keys {
        content.objects.remove(key);
        rows.push_str(&["<Deleted><Key>", key, "</Key></Deleted>"].concat());
    }
    xml(&format!("<DeleteResult>{rows}</DeleteResult>"))
}

fn xml(text: &str) -> Response {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{text}");
    ([("content-type", "application/xml")], text).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}

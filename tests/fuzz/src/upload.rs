//! Uploads: the form off the wire, its archive, its metadata, all as the server does it.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use futures_util::stream;
use lockstep_core::digest::Sha256;
use lockstep_core::filename::DistFilename;
use lockstep_server::error::ApiError;
use lockstep_server::publish;
use lockstep_server::publish::upload::Upload;

use crate::core::check_metadata;
use crate::recipe::Recipe;
use crate::server::server;

const BOUNDARY: &str = "lockstep-test-boundary";
/// Stands for the digest of the file part, which no machine would guess.
const DIGEST: &[u8] = b"@sha256@";

/// The body of an upload, parts parted by `--lockstep-test-boundary`; it comes in pieces as long as its
/// first byte says.
pub fn form(bytes: &[u8]) -> bool {
    let Some((piece, body)) = bytes.split_first() else {
        return false;
    };
    let digest = Sha256::of(file_part(body)).to_string();
    let body = replaced(body, DIGEST, digest.as_bytes());
    take(&body, usize::from(*piece))
}

/// An upload by its recipe (see [`Recipe`]): form and archive are whole, and what they say is anything.
pub fn upload(bytes: &[u8]) -> bool {
    let Some(recipe) = Recipe::parse(bytes) else {
        return false;
    };
    let Some(archive) = recipe.archive() else {
        return false;
    };
    let digest = Sha256::of(&archive).to_string();
    let mut body = Vec::new();
    for (name, value) in recipe
        .fields
        .iter()
        .chain([&("sha256_digest", &digest[..])])
    {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{}\"\r\n\r\n",
        recipe.filename
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(&archive);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    take(&body, 0)
}

fn take(body: &[u8], piece: usize) -> bool {
    let refusal = answer(body, piece);
    if let Some(error) = &refusal {
        check_refusal(error);
    }
    refusal.is_none()
}

/// Gives the server this body, in pieces of so many bytes (0: in one); what it says against it.
pub fn answer(body: &[u8], piece: usize) -> Option<ApiError> {
    let server = server();
    let mut headers = HeaderMap::new();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    headers.insert(CONTENT_TYPE, HeaderValue::try_from(kind).expect("a header"));
    let piece = if piece == 0 { body.len().max(1) } else { piece };
    let pieces: Vec<_> = body
        .chunks(piece)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    let mut body = Body::from_stream(stream::iter(pieces)).into_data_stream();
    let outcome = server
        .runtime
        .block_on(publish::receive(&server.app, &headers, &mut body));
    if let Ok(upload) = &outcome {
        check(&upload.0);
    }
    let refusal = outcome.err();
    let spool = std::fs::read_dir(server.app.blobs.spool()).expect("a spool");
    assert_eq!(spool.count(), 0, "something was left in the spool");
    refusal
}

fn check(upload: &Upload) {
    let project = upload.name.normalized();
    let filename = upload.filename.as_str();
    let again = DistFilename::parse(filename, &project, &upload.version);
    assert_eq!(again.as_ref(), Ok(&upload.filename));
    assert_eq!(upload.metadata.name.normalized(), project);
    assert!(upload.metadata.version.is_same_release_as(&upload.version));
    assert!(!upload.version.has_local());
    assert!(upload.digests.size > 0);
    check_metadata(&upload.metadata);
    assert_eq!(upload.metadata.check(), Ok(()));
    if let Some(file) = &upload.metadata_file {
        assert_eq!(file.sha256, Sha256::of(&file.bytes));
    }
}

/// Not our fault, and one line that can be a reason phrase.
fn check_refusal(error: &ApiError) {
    let told = [
        StatusCode::BAD_REQUEST,
        StatusCode::GONE,
        StatusCode::PAYLOAD_TOO_LARGE,
    ];
    assert!(told.contains(&error.status), "{error:?}");
    assert!(!error.message.contains(char::is_control), "{error:?}");
    assert!(error.message.len() < 4000, "{error:?}");
}

/// The bytes of the part called `content`, found in the plainest way.
fn file_part(body: &[u8]) -> &[u8] {
    let after = |bytes: &'static [u8], text: &[u8]| {
        let found = text.windows(bytes.len()).position(|it| it == bytes);
        found.map(|at| at + bytes.len())
    };
    let Some(name) = after(b"name=\"content\"", body) else {
        return b"";
    };
    let Some(start) = after(b"\r\n\r\n", &body[name..]) else {
        return b"";
    };
    let file = &body[name + start..];
    let end = format!("\r\n--{BOUNDARY}");
    let end = file.windows(end.len()).position(|it| it == end.as_bytes());
    &file[..end.unwrap_or(file.len())]
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let Some(at) = bytes.windows(from.len()).position(|it| it == from) else {
        return bytes.to_vec();
    };
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

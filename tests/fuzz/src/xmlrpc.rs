//! XML-RPC calls, through the handler itself.

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use lockstep_server::read::xmlrpc::call;

use crate::server::server;

/// A call's body: the answer is a document that any parser takes, of a result or a fault; or it is that
/// the database is away, which here it is.
pub fn xmlrpc(bytes: &[u8]) -> bool {
    let server = server();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    let body = Body::from(bytes.to_vec());
    let (status, kind, body) = server.runtime.block_on(async {
        let answer = call(State(server.app.clone()), headers, body).await;
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("an answer");
        (parts.status, parts.headers.get(CONTENT_TYPE).cloned(), body)
    });
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return true;
    }
    assert_eq!(status, StatusCode::OK);
    assert_eq!(kind.expect("a type"), "text/xml");
    let text = std::str::from_utf8(&body).expect("UTF-8");
    let document = roxmltree::Document::parse(text).expect("well-formed");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "methodResponse");
    let children: Vec<_> = root
        .children()
        .filter(roxmltree::Node::is_element)
        .collect();
    assert_eq!(children.len(), 1, "{text}");
    match children[0].tag_name().name() {
        "params" => true,
        "fault" => false,
        other => panic!("{other}: {text}"),
    }
}

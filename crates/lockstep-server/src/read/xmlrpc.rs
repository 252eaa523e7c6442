//! XML-RPC, as mirrors have spoken it since 2003. Everything speaks at the announced serial, and
//! faults come with HTTP 200, as the public index sends them. An index whose database is away says
//! 503 instead: a fault would be taken for an answer.
//!
//! Here is HTTP; the XML is in [`document`], each method has its file in [`methods`].

mod document;
mod methods;
mod params;
mod project;
mod value;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use dxr::{Fault, Value};
use futures_util::StreamExt as _;
use lockstep_store::StoreError;

use crate::app::App;
use crate::error::ApiError;
use crate::linger;

/// Why a call has no result.
enum CallError {
    /// What the caller is told as a fault.
    Fault(Fault),
    /// What only HTTP can say: come back later.
    Http(ApiError),
}

impl CallError {
    /// The call is not XML, or not XML-RPC.
    fn not_well_formed() -> Self {
        let text = "parse error; not well formed";
        Self::Fault(Fault::new(-32700, text.to_owned()))
    }

    /// There is no such method.
    fn unknown_method(name: &str) -> Self {
        // A stranger's text is not given back at length.
        let name: String = name.chars().take(80).collect();
        let text = format!("server error; requested method not found: {name}");
        Self::Fault(Fault::new(-32601, text))
    }

    /// `problems`: `<parameter>: <reason>`, parted by semicolons.
    fn parameters(problems: &str) -> Self {
        Self::Fault(Fault::new(-32602, format!("client error; {problems}")))
    }

    /// The method can't do this.
    fn refused(reason: &str) -> Self {
        Self::Fault(Fault::new(-32500, format!("ValueError: {reason}")))
    }
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        Self::Http(error.into())
    }
}

/// `POST /pypi`, `/pypi/`, `/RPC2`
pub async fn call(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("text/xml")) {
        let message = "XML-RPC calls are sent as text/xml; uploads go to /legacy/.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return ApiError::new(status, "not-xml", message).into_plain_response();
    }
    // What is larger is refused before it is parsed.
    let most = app.settings.limits.longest_body();
    let mut rest = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = rest.next().await {
        let Ok(chunk) = chunk else {
            // Cut off: nobody is left to tell.
            return answer(Err(CallError::not_well_formed()));
        };
        if bytes.len() + chunk.len() > most {
            let reason = format!("the call is larger than {most} bytes, and none needs to be");
            // A fault and not a 413, of which XML-RPC clients show people only the number.
            return linger::until_sent(answer(Err(CallError::refused(&reason))), rest);
        }
        bytes.extend_from_slice(&chunk);
    }
    let result = match document::read(&bytes) {
        Some(call) => match app.turns.bulk_read().await {
            Ok(_turn) => methods::call(&app, &call.name, call.params).await,
            Err(busy) => Err(CallError::Http(busy)),
        },
        None => Err(CallError::not_well_formed()),
    };
    answer(result)
}

/// Any other method at these addresses.
pub async fn only_post() -> Response {
    let message = "XML-RPC is asked by POST; pages for people begin at /.";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = ApiError::new(status, "not-post", message).into_plain_response();
    let allow = HeaderValue::from_static("POST");
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn answer(result: Result<Value, CallError>) -> Response {
    let document = match result {
        Ok(value) => document::response(value),
        Err(CallError::Fault(fault)) => document::fault(&fault),
        Err(CallError::Http(error)) => return error.into_plain_response(),
    };
    match document {
        Ok(text) => {
            let headers = [(CONTENT_TYPE, "text/xml"), (CACHE_CONTROL, "no-store")];
            (headers, text).into_response()
        }
        Err(error) => ApiError::internal(error).into_plain_response(),
    }
}

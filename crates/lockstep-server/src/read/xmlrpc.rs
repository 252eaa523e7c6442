//! XML-RPC, as mirrors have spoken it since 2003 (contract §5). Everything speaks at the announced
//! serial, and faults come with HTTP 200, as the public index sends them.

mod methods;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use dxr::{Fault, FaultResponse, MethodCall, MethodResponse, Value};
use lockstep_store::StoreError;

use crate::app::App;
use crate::error::ApiError;

/// No call of a mirror is larger; what is, is refused before it is parsed.
const MAX_BODY: usize = 64 * 1024;

/// Why a call has no result.
pub(super) enum CallError {
    /// A fault for the caller.
    Fault(i32, String),
    /// The database; answered as 503, so that a mirror comes back.
    Store(StoreError),
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
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
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let message = "The call is too large or was cut off.";
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return ApiError::new(status, "too-large", message).into_plain_response();
    };
    match answer(&app, &body).await {
        Ok(value) => xml(MethodResponse { value }.to_xml()),
        Err(CallError::Fault(code, text)) => xml(FaultResponse {
            fault: Fault::new(code, text),
        }
        .to_xml()),
        Err(CallError::Store(error)) => ApiError::from(error).into_plain_response(),
    }
}

async fn answer(app: &App, body: &[u8]) -> Result<Value, CallError> {
    let not_well_formed = || CallError::Fault(-32700, "parse error; not well formed".to_owned());
    let text = std::str::from_utf8(body).map_err(|_| not_well_formed())?;
    // Declared entities could multiply; no XML-RPC call needs any.
    if text.contains("<!DOCTYPE") || text.contains("<!ENTITY") {
        return Err(not_well_formed());
    }
    let call = MethodCall::from_xml(text).map_err(|_| not_well_formed())?;
    methods::call(app, &call.name, call.params).await
}

fn xml(document: Result<String, dxr::Error>) -> Response {
    match document {
        Ok(text) => (
            [
                (CONTENT_TYPE, "text/xml"),
                (axum::http::header::CACHE_CONTROL, "no-store"),
            ],
            text,
        )
            .into_response(),
        Err(error) => ApiError::internal(error).into_plain_response(),
    }
}

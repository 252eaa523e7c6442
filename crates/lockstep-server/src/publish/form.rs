//! The multipart form of an upload, read as a stream: fields in any order, the file part written to
//! the spool while its digests are computed. Memory does not grow with the file.
//!
//! Not here: what the fields mean; that is [`super::upload`].

mod head;

use std::collections::BTreeMap;

use axum::body::BodyDataStream;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use lockstep_core::digest::{FileDigests, FileHasher};
use multer::{Field, Multipart};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt as _;

use crate::app::App;
use crate::blobs::BlobError;
use crate::error::ApiError;
use crate::settings::UploadSettings;
use head::{HeadLimit, Paced};

/// A received form.
pub(super) struct Form {
    /// The fields, each with its values in the order in which they came.
    pub(super) fields: BTreeMap<String, Vec<String>>,
    /// The file part.
    pub(super) file: Option<SpooledFile>,
}

/// The file part: on disk under a name that nobody serves, removed when dropped.
pub(super) struct SpooledFile {
    /// The name the client gave it.
    pub(super) filename: String,
    /// Where its bytes are.
    pub(super) path: TempPath,
    /// Their digests.
    pub(super) digests: FileDigests,
}

/// Refuses what is too large by its own account, before it is read.
pub(super) fn check_length(headers: &HeaderMap, app: &App) -> Result<(), ApiError> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .unwrap_or(0);
    let upload = &app.settings.upload;
    let limit = upload.max_file_size.as_u64() + upload.max_fields_size.as_u64();
    if length > limit {
        Err(too_large(app))
    } else {
        Ok(())
    }
}

fn too_large(app: &App) -> ApiError {
    let limit = app.settings.upload.max_file_size;
    let message = format!("File too large: the limit of this index is {limit}.");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
}

/// Reads the whole form.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: &mut BodyDataStream,
    app: &App,
) -> Result<Form, ApiError> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|_| {
        let message = "The request is not multipart/form-data; upload with twine, uv publish or \
                       poetry publish.";
        ApiError::bad_request("not-multipart", message)
    })?;
    let head = HeadLimit::default();
    let mut multipart = Multipart::new(Paced::new(body, head.clone()), boundary);
    let mut form = Form {
        fields: BTreeMap::new(),
        file: None,
    };
    let mut left = Left::of(&app.settings.upload);
    while let Some(field) = next_field(&mut multipart, &head).await? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "content" {
            if form.file.is_some() {
                return Err(ApiError::bad_request(
                    "content",
                    "Only one `content` part is taken.",
                ));
            }
            form.file = Some(spool(field, app).await?);
            continue;
        }
        if field.file_name().is_some() && name != "gpg_signature" {
            let message = format!("{}: Should not be a file.", shown(&name));
            return Err(ApiError::bad_request("field-is-file", message));
        }
        let value = read(&name, field, &mut left).await?;
        form.fields.entry(name).or_default().push(value);
    }
    Ok(form)
}

/// The next part, once its head is there, which must not be far away.
async fn next_field<'a>(
    multipart: &mut Multipart<'a>,
    head: &HeadLimit,
) -> Result<Option<Field<'a>>, ApiError> {
    head.begin();
    let field = multipart.next_field().await.map_err(|error| {
        if head.is_reached() {
            form_too_large()
        } else {
            broken(error)
        }
    });
    head.end();
    field
}

/// The value of a field.
async fn read(name: &str, mut field: Field<'_>, left: &mut Left) -> Result<String, ApiError> {
    left.take_field(name.len())?;
    let mut value = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        left.take_bytes(chunk.len())?;
        value.extend_from_slice(&chunk);
    }
    String::from_utf8(value).map_err(|_| {
        let message = format!("{}: The value is not UTF-8 text.", shown(name));
        ApiError::bad_request("not-utf8", message)
    })
}

/// A field's name as a sentence for people may hold it: on one line, whatever is in it, and short.
fn shown(name: &str) -> String {
    let start = name.chars().take(100);
    start
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// What may still come of fields.
struct Left {
    fields: usize,
    bytes: u64,
}

impl Left {
    fn of(settings: &UploadSettings) -> Self {
        Self {
            fields: settings.max_fields,
            bytes: settings.max_fields_size.as_u64(),
        }
    }

    fn take_field(&mut self, name: usize) -> Result<(), ApiError> {
        self.fields = self.fields.checked_sub(1).ok_or_else(form_too_large)?;
        self.take_bytes(name)
    }

    fn take_bytes(&mut self, bytes: usize) -> Result<(), ApiError> {
        let left = self.bytes.checked_sub(bytes as u64);
        self.bytes = left.ok_or_else(form_too_large)?;
        Ok(())
    }
}

fn form_too_large() -> ApiError {
    let message = "The form's fields are too large or too many.";
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "form-too-large", message)
}

async fn spool(mut field: Field<'_>, app: &App) -> Result<SpooledFile, ApiError> {
    let filename = field.file_name().unwrap_or_default().to_owned();
    // uv sends no type at all.
    if let Some(kind) = field.content_type().filter(|kind| kind.type_() == "image") {
        let message = format!("content: Invalid distribution file. It is sent as `{kind}`.");
        return Err(ApiError::bad_request("content", message));
    }
    let limit = app.settings.upload.max_file_size.as_u64();
    let named = tempfile::Builder::new()
        .prefix("upload-")
        .tempfile_in(app.blobs.spool())
        .map_err(|error| disk(error.into()))?;
    let (file, path) = named.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut hasher = FileHasher::default();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if hasher.size() + chunk.len() as u64 > limit {
            return Err(too_large(app));
        }
        hasher.update(&chunk);
        file.write_all(&chunk)
            .await
            .map_err(|error| disk(error.into()))?;
    }
    file.flush().await.map_err(|error| disk(error.into()))?;
    Ok(SpooledFile {
        filename,
        path,
        digests: hasher.finish(),
    })
}

/// A disk or bucket in trouble is ours, not the uploader's.
pub(super) fn disk(error: BlobError) -> ApiError {
    match error {
        BlobError::Full(_) => ApiError::storage_full(error),
        other => {
            ApiError::unavailable("storage", "The file can't be stored right now.").because(other)
        }
    }
}

fn broken(error: multer::Error) -> ApiError {
    let message = "The request's multipart body is broken or ended too early.";
    ApiError::bad_request("broken-multipart", message).because(error)
}

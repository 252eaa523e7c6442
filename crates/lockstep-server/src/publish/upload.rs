//! Stage 1, **upload**: a received form becomes a checked [`Upload`], and its bytes are kept at
//! their digest in the blob store.
//!
//! Afterwards the bytes are safe and seen by nobody; an orphan is harmless. Nothing is in the
//! database yet. What the release says of itself is read from the archive, never from the form: the
//! form is only held against it.

use std::str::FromStr;

use axum::http::StatusCode;
use bytes::Bytes;
use lockstep_core::digest::{FileDigests, Sha256};
use lockstep_core::filename::{DistFilename, DistKind};
use lockstep_core::metadata::{CoreMetadata, MetadataError, MetadataVersion};
use lockstep_core::name::ProjectName;
use lockstep_core::version::Version;
use lockstep_store::retention;
use tempfile::TempPath;

use super::agree;
use super::archive::{self, ArchiveError, Found, Limits};
use super::attest::{self, Provenance};
use super::form::{Form, SpooledFile, disk};
use crate::app::App;
use crate::error::ApiError;
use crate::fault;
use crate::settings::Settings;

/// The longest version taken. It stands in every row of the changelog that is about the release.
const LONGEST_VERSION: usize = 128;

/// An upload found to be good.
pub struct Upload {
    /// The project, as the metadata spells it.
    pub name: ProjectName,
    /// The release.
    pub version: Version,
    /// The file's name.
    pub filename: DistFilename,
    /// The file's digests.
    pub digests: FileDigests,
    /// What the archive says of itself.
    pub metadata: CoreMetadata,
    /// The `.metadata` beside the file (PEP 658), wheels only: an sdist's may be incomplete.
    pub metadata_file: Option<MetadataFile>,
    /// The attestations it came with, verified.
    pub provenance: Option<Provenance>,
    spooled: TempPath,
}

/// The bytes of the `.metadata` file.
pub struct MetadataFile {
    /// METADATA, byte for byte as in the wheel.
    pub bytes: Bytes,
    /// What they hash to.
    pub sha256: Sha256,
}

/// Checks a form against its archive; refusals name the field (docs/guide/publishers.md).
pub(super) async fn examine(mut form: Form, settings: &Settings) -> Result<Upload, ApiError> {
    protocol(&form)?;
    let _: MetadataVersion = parsed(&form, "metadata_version")?;
    let name: ProjectName = parsed(&form, "name")?;
    let version: Version = parsed(&form, "version")?;
    if version.as_str().len() > LONGEST_VERSION {
        let message = format!("version: It is longer than {LONGEST_VERSION} characters.");
        return Err(ApiError::bad_request("version", message));
    }
    if version.has_local() {
        let message = format!("version: The local version `{version}` can't be published.");
        return Err(ApiError::bad_request("version", message));
    }
    let kind: DistKind = parsed(&form, "filetype")?;
    python_version(&form, kind)?;
    let attestations = field(&form, "attestations").map(str::to_owned);
    let Some(SpooledFile {
        filename,
        path,
        digests,
    }) = form.file.take()
    else {
        return Err(ApiError::bad_request(
            "content",
            "Upload payload does not have a file.",
        ));
    };
    let project = name.normalized();
    let filename = DistFilename::parse(&filename, &project, &version)
        .and_then(|filename| filename.check_normal(&project, &version).map(|()| filename))
        .map_err(|error| ApiError::bad_request("filename", error.to_string()))?;
    if filename.kind() != kind {
        let message = format!(
            "filetype: `{}` does not fit the file name `{filename}`.",
            kind.packagetype()
        );
        return Err(ApiError::bad_request("filetype", message));
    }
    check_digests(&form, &digests)?;
    if digests.size == 0 {
        return Err(ApiError::bad_request(
            "content",
            "content: The file is empty.",
        ));
    }
    let (path, found) = read_archive(path, kind, settings.upload.archive_limits()).await?;
    let metadata = CoreMetadata::parse(&found.metadata).map_err(invalid_metadata)?;
    agree::check_identity(&name, &version, &metadata)?;
    agree::check_folder(&filename, &metadata, &found)?;
    metadata.check().map_err(invalid_metadata)?;
    agree::check_licenses(&metadata, &found)?;
    let metadata_file = (kind == DistKind::Wheel).then(|| MetadataFile {
        sha256: Sha256::of(&found.metadata),
        bytes: found.metadata.into(),
    });
    let provenance = provenance(
        attestations,
        &settings.public_url,
        &name,
        &version,
        &filename,
        &digests,
    )
    .await?;
    fault::point("upload.received")?;
    Ok(Upload {
        name,
        version,
        filename,
        digests,
        metadata,
        metadata_file,
        provenance,
        spooled: path,
    })
}

/// Verifies what the form attests of the file. Signatures take milliseconds; other requests must not
/// wait.
async fn provenance(
    attestations: Option<String>,
    public_url: &str,
    name: &ProjectName,
    version: &Version,
    filename: &DistFilename,
    digests: &FileDigests,
) -> Result<Option<Provenance>, ApiError> {
    let Some(attestations) = attestations else {
        return Ok(None);
    };
    let (named, sha256) = (filename.clone(), digests.sha256);
    let verified =
        tokio::task::spawn_blocking(move || attest::verify(&attestations, &named, &sha256))
            .await
            .map_err(ApiError::internal)?;
    let document = verified.map_err(|error| {
        let message = format!("attestations: Invalid attestations supplied during upload: {error}")
            .replace(char::is_control, " ");
        ApiError::bad_request("attestations", message)
    })?;
    let name = name.normalized();
    let url = format!(
        "{public_url}/integrity/{name}/{version}/{}/provenance",
        filename.url_path()
    );
    Ok(document.map(|document| Provenance { url, document }))
}

/// Keeps the bytes. Repeatable, and in this order: when the file is there, its metadata may still be
/// missing, but nobody has been told of either.
pub(super) async fn keep(upload: &Upload, app: &App) -> Result<(), ApiError> {
    let (address, blobs) = (&upload.digests.blake2b_256, &app.blobs);
    // The same bytes may be an orphan that is about to be deleted.
    let connection = app.store.connection().await?;
    retention::pardon(&connection, address).await?;
    drop(connection);
    blobs
        .keep(&upload.spooled, address, &upload.filename)
        .await
        .map_err(disk)?;
    if let Some(metadata) = &upload.metadata_file {
        blobs
            .keep_metadata(metadata.bytes.clone(), address, &upload.filename)
            .await
            .map_err(disk)?;
    }
    // From here on the bytes survive a crash; without a commit they are an orphan.
    fault::point("upload.stored")?;
    Ok(())
}

fn protocol(form: &Form) -> Result<(), ApiError> {
    let refused = |code, message: &str| Err(ApiError::bad_request(code, message));
    match field(form, ":action") {
        Some("file_upload") => {}
        Some("submit" | "submit_pkg_info" | "doc_upload") => {
            let message = ":action: Projects are made by their first upload, and documentation is \
                           not hosted; only `file_upload` is supported.";
            return Err(ApiError::new(StatusCode::GONE, "action", message));
        }
        _ => return refused("action", ":action: Only `file_upload` is supported."),
    }
    match field(form, "protocol_version") {
        None | Some("1") => Ok(()),
        Some(_) => refused(
            "protocol-version",
            "protocol_version: Only `1` is supported.",
        ),
    }
}

/// The first value of a field. `UNKNOWN` is what old tools send for none.
fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    let value = form.fields.get(name)?.first().map(String::as_str);
    value.filter(|value| value.trim() != "UNKNOWN")
}

/// The tag of a wheel, or `source`. It is only looked at, not kept: the file name says it, too.
fn python_version(form: &Form, kind: DistKind) -> Result<(), ApiError> {
    let message = match (kind, field(form, "pyversion").unwrap_or_default()) {
        (DistKind::Wheel, "") => "pyversion: This field is required for wheels, as in `py3`.",
        (DistKind::Sdist, other) if !["", "source"].contains(&other) => {
            "pyversion: The only valid Python version of an sdist is `source`."
        }
        _ => return Ok(()),
    };
    Err(ApiError::bad_request("pyversion", message))
}

fn invalid_metadata(error: MetadataError) -> ApiError {
    // The error quotes the document.
    let sentence = format!("Invalid distribution file. {error}").replace(char::is_control, " ");
    ApiError::bad_request("metadata", sentence)
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(
    form: &Form,
    name: &'static str,
) -> Result<T, ApiError> {
    let value = field(form, name).unwrap_or_default();
    if value.is_empty() {
        let message = format!("{name}: This field is required.");
        return Err(ApiError::bad_request(name, message));
    }
    value.parse().map_err(|error| {
        // The error quotes the value; a sentence for people stays on one line whatever is in it.
        let sentence = format!("{name}: {error}").replace(char::is_control, " ");
        ApiError::bad_request(name, sentence)
    })
}

/// Each digest that is given must match, and one must be given.
fn check_digests(form: &Form, actual: &FileDigests) -> Result<(), ApiError> {
    let given = |name: &str| field(form, name).filter(|value| !value.is_empty());
    let mut any = false;
    for (name, actual) in [
        ("md5_digest", actual.md5.to_string()),
        ("sha256_digest", actual.sha256.to_string()),
        ("blake2_256_digest", actual.blake2b_256.to_string()),
    ] {
        let Some(text) = given(name) else { continue };
        any = true;
        // Clients send either case.
        if !text.eq_ignore_ascii_case(&actual) {
            let message = format!(
                "{name}: The digest supplied does not match a digest calculated from the uploaded \
                 file."
            );
            return Err(ApiError::bad_request("digest", message));
        }
    }
    if any {
        Ok(())
    } else {
        Err(ApiError::bad_request(
            "digest",
            "Include at least one message digest.",
        ))
    }
}

async fn read_archive(
    path: TempPath,
    kind: DistKind,
    limits: Limits,
) -> Result<(TempPath, Found), ApiError> {
    let reading = tokio::task::spawn_blocking(move || {
        fault::point("upload.reading")?;
        Ok::<_, ApiError>(archive::read_metadata(&path, kind, limits).map(|found| (path, found)))
    });
    match reading.await.map_err(ApiError::internal)?? {
        Ok(done) => Ok(done),
        Err(error @ ArchiveError::Disk(_)) => {
            Err(ApiError::unavailable("storage", "The file can't be read back.").because(error))
        }
        Err(error) => Err(ApiError::bad_request(error.kind(), error.to_string())),
    }
}

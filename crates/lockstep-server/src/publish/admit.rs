//! What is refused because of what is there already, or what the operator says: the name of a new
//! project, a second sdist of a release, a project that grows too large.
//!
//! Not here: file names and bytes that are taken; their constraints say so in [`super::commit`].
//!
//! Invariant: what is asked without the project's lock only saves work. What two uploads at once
//! could break is decided under it, or by a constraint.

use bytesize::ByteSize;
use lockstep_core::filename::DistKind;
use lockstep_core::name::ProjectName;
use lockstep_store::files::Weight;
use lockstep_store::projects;

use super::upload::Upload;
use crate::app::App;
use crate::error::ApiError;

/// Refuses the name of a project that does not exist and may not begin to. Asked before the bytes
/// are kept; that two first uploads at once do not both pass is the constraint's.
pub(super) async fn check_name(app: &App, name: &ProjectName) -> Result<(), ApiError> {
    let normalized = name.normalized();
    let connection = app.store.connection().await?;
    let standing = projects::standing(&connection, &normalized).await?;
    if standing.exists {
        return Ok(());
    }
    let refused = |message: String| Err(ApiError::bad_request("name", message));
    if normalized.is_standard_library() {
        return refused(format!(
            "name: The name `{name}` isn't allowed: it is that of a module of Python's standard \
             library."
        ));
    }
    let prohibited = &app.settings.upload.prohibited_names;
    if prohibited
        .iter()
        .any(|other| other.normalized() == normalized)
    {
        return refused(format!("name: The name `{name}` isn't allowed."));
    }
    if standing.resembles {
        return Err(too_similar(name));
    }
    Ok(())
}

/// Another project looks the same.
pub(super) fn too_similar(name: &ProjectName) -> ApiError {
    let message =
        format!("name: The name `{name}` is too similar to an existing project; choose another.");
    ApiError::bad_request("name", message)
}

/// Refuses an upload after which the locked project would have two sdists of a release or too many
/// bytes; `weight` includes it.
pub(super) fn check_weight(
    weight: &Weight,
    upload: &Upload,
    limit: ByteSize,
) -> Result<(), ApiError> {
    if weight.size > limit.as_u64() {
        let project = upload.name.normalized();
        let message = format!(
            "Project size too large. Limit for project '{project}' total size is {limit}; remove \
             old files first."
        );
        return Err(ApiError::bad_request("project-too-large", message));
    }
    if upload.filename.kind() == DistKind::Sdist && weight.sdists > 1 {
        let message = "Only one sdist may be uploaded per release.";
        return Err(ApiError::bad_request("second-sdist", message));
    }
    Ok(())
}

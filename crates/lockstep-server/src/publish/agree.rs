//! That an archive is what its form and its file name say: the same project, the same version, the
//! folder that installers look for, and the licences that its metadata name.
//!
//! Not here: whether the archive or the metadata are good in themselves.

use lockstep_core::filename::{DistFilename, DistKind};
use lockstep_core::metadata::CoreMetadata;
use lockstep_core::name::ProjectName;
use lockstep_core::version::Version;

use super::archive::{Found, shown};
use crate::error::ApiError;

/// Refuses an archive of another project or version.
pub(super) fn check_identity(
    name: &ProjectName,
    version: &Version,
    metadata: &CoreMetadata,
) -> Result<(), ApiError> {
    if metadata.name.normalized() != name.normalized() {
        let message = format!(
            "name: The form says `{name}`, but the file's metadata say `{}`.",
            metadata.name
        );
        return Err(ApiError::bad_request("name", message));
    }
    if !metadata.version.is_same_release_as(version) {
        let message = format!(
            "version: The form says `{version}`, but the file's metadata say `{}`.",
            metadata.version
        );
        return Err(ApiError::bad_request("version", message));
    }
    Ok(())
}

/// Refuses an archive whose metadata are in another folder than the file name promises (PEP 427,
/// PEP 625). Of an sdist's folder an older spelling of the same name and version is taken.
pub(super) fn check_folder(
    filename: &DistFilename,
    metadata: &CoreMetadata,
    found: &Found,
) -> Result<(), ApiError> {
    let stem = filename.name_and_version();
    let (expected, good) = match filename.kind() {
        DistKind::Wheel => {
            let expected = format!("{stem}.dist-info");
            (expected.clone(), found.folder == expected)
        }
        DistKind::Sdist => (stem.to_owned(), is_folder_of(&found.folder, metadata)),
    };
    if good {
        return Ok(());
    }
    let message = format!(
        "Invalid distribution file. Its metadata are in `{}`; expected `{expected}`.",
        shown(&found.folder)
    );
    Err(ApiError::bad_request("archive-folder", message))
}

fn is_folder_of(folder: &str, metadata: &CoreMetadata) -> bool {
    let Some((name, version)) = folder.rsplit_once('-') else {
        return false;
    };
    let is_name = |name: ProjectName| name.normalized() == metadata.name.normalized();
    let is_version = |version: Version| version.is_same_release_as(&metadata.version);
    name.parse().is_ok_and(is_name) && version.parse().is_ok_and(is_version)
}

/// Refuses metadata that name a licence which is not in the archive (PEP 639).
pub(super) fn check_licenses(metadata: &CoreMetadata, found: &Found) -> Result<(), ApiError> {
    // Before, the field was not standardized, and the paths are of the author's folder.
    if !metadata.is_at_least("2.4") {
        return Ok(());
    }
    let missing = metadata
        .license_files
        .iter()
        .find(|path| !found.licenses.contains(*path));
    match missing {
        None => Ok(()),
        Some(path) => {
            let message = format!(
                "Invalid distribution file. Its metadata field License-File names `{}`, which is \
                 not in it.",
                shown(path)
            );
            Err(ApiError::bad_request("license-file", message))
        }
    }
}

//! The JSON page (PEP 691, 700, 714, 740, 792), api-version 1.4.
//!
//! Through typed structs whose fields stand in the order they are written: a generic map could be
//! reordered by any crate in the tree. `meta` comes last because the serial must end the bytes.

use serde::Serialize;

use super::{FileEntry, FileLinks, ProjectState, file_path, page_time};
use crate::digest::Sha256;
use crate::status::{Reason, Yanked};
use crate::version::RequiresPython;

#[derive(Serialize)]
struct Detail<'a> {
    files: Vec<File<'a>>,
    name: &'a str,
    #[serde(rename = "project-status")]
    status: Status<'a>,
    versions: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct File<'a> {
    core_metadata: Metadata,
    data_dist_info_metadata: Metadata,
    filename: &'a str,
    hashes: Hashes,
    provenance: Option<&'a str>,
    requires_python: Option<&'a str>,
    size: u64,
    upload_time: String,
    url: String,
    yanked: &'a Yanked,
}

#[derive(Serialize, Clone, Copy)]
#[serde(untagged)]
enum Metadata {
    At { sha256: Sha256 },
    Absent(bool),
}

#[derive(Serialize)]
struct Hashes {
    sha256: Sha256,
}

#[derive(Serialize)]
struct Status<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    status: &'a str,
}

/// The page up to the number of its serial.
pub(super) fn body(state: &ProjectState, links: &FileLinks) -> Vec<u8> {
    let mut versions: Vec<_> = state.files.iter().map(|file| &file.version).collect();
    // Files are sorted by version already, so equal ones are neighbours.
    versions.dedup();
    let detail = Detail {
        files: state.files.iter().map(|file| entry(file, links)).collect(),
        name: state.name.as_str(),
        status: Status {
            reason: state.status_reason.as_ref().map(Reason::as_str),
            status: state.status.as_str(),
        },
        versions: versions.into_iter().map(ToString::to_string).collect(),
    };
    let mut out = serde_json::to_vec(&detail).expect("plain structs of strings serialize");
    // The object is reopened to put the serial at the very end of the bytes.
    out.pop();
    out.extend_from_slice(b",\"meta\":{\"api-version\":\"1.4\",\"_last-serial\":");
    out
}

fn entry<'a>(file: &'a FileEntry, links: &FileLinks) -> File<'a> {
    let metadata = file
        .metadata_sha256
        .map_or(Metadata::Absent(false), |sha256| Metadata::At { sha256 });
    File {
        core_metadata: metadata,
        data_dist_info_metadata: metadata,
        filename: file.filename.as_str(),
        hashes: Hashes {
            sha256: file.sha256,
        },
        // The key is always present, as in the public index.
        provenance: file.provenance_url.as_deref(),
        requires_python: file.requires_python.as_ref().map(RequiresPython::as_str),
        size: file.size,
        upload_time: page_time(file.upload_time),
        url: format!(
            "{}{}",
            links.base(),
            file_path(&file.blake2b_256, &file.filename)
        ),
        yanked: &file.yanked,
    }
}

//! The legacy JSON document, `/pypi/<project>/json`, as bandersnatch keeps it.

use std::collections::BTreeMap;

use lockstep_core::serial::Serial;
use serde::Deserialize;

use super::{CoreMetadata, Hashes, Shown, ShownFile, without_fragment};
use crate::manifest::Yank;

#[derive(Deserialize)]
struct Document {
    last_serial: Option<Serial>,
    releases: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    url: String,
    digests: Hashes,
    size: Option<u64>,
    requires_python: Option<String>,
    #[serde(default)]
    yanked: bool,
    yanked_reason: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Option<Shown> {
    let document: Document = serde_json::from_slice(bytes).ok()?;
    let files = document
        .releases
        .into_values()
        .flatten()
        .map(|file| ShownFile {
            filename: file.filename,
            sha256: file.digests.sha256,
            requires_python: file.requires_python.filter(|text| !text.is_empty()),
            yanked: if file.yanked {
                Yank::Yes(file.yanked_reason.unwrap_or_default())
            } else {
                Yank::No
            },
            url: without_fragment(&file.url).to_owned(),
            size: file.size,
            // It says what the index has. What a mirror promises is on the mirror's own pages.
            metadata: CoreMetadata::Absent,
        });
    Some(Shown {
        serial: document.last_serial,
        files: files.collect(),
    })
}

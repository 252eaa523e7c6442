//! The list of projects, `/simple/`: one snapshot at the announced serial.
//!
//! For bandersnatch this list *is* the changelog, and version 8 reads no other: a project listed with
//! an old serial beside newer ones would be lost to it for good, so the rows given here must be one
//! snapshot.

use serde::Serialize;

use crate::escape::escape_into;
use crate::name::{NormalizedName, ProjectName};
use crate::serial::Serial;

/// A project as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Where its page is.
    pub normalized: NormalizedName,
    /// How it spells itself.
    pub name: ProjectName,
    /// Its last serial in this snapshot.
    pub last_serial: Serial,
}

#[derive(Serialize)]
struct List<'a> {
    meta: Meta,
    projects: Vec<Project<'a>>,
}

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "_last-serial")]
    last_serial: Serial,
    #[serde(rename = "api-version")]
    api_version: &'static str,
}

#[derive(Serialize)]
struct Project<'a> {
    #[serde(rename = "_last-serial")]
    last_serial: Serial,
    name: &'a str,
}

/// The JSON list (PEP 691). `entries` are sorted bytewise by normalized name.
pub fn json(entries: &[IndexEntry], announced: Serial) -> Vec<u8> {
    let list = List {
        meta: Meta {
            last_serial: announced,
            api_version: "1.4",
        },
        projects: entries
            .iter()
            .map(|entry| Project {
                last_serial: entry.last_serial,
                name: entry.name.as_str(),
            })
            .collect(),
    };
    let mut out = serde_json::to_vec(&list).expect("plain structs of strings serialize");
    out.push(b'\n');
    out
}

/// The HTML list (PEP 503). `entries` are sorted bytewise by normalized name.
pub fn html(entries: &[IndexEntry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(200 + entries.len() * 60);
    out.extend_from_slice(
        b"<!DOCTYPE html>\n<html lang=\"en\">\n  <head>\n    \
          <meta name=\"pypi:repository-version\" content=\"1.4\" />\n    \
          <title>Simple index</title>\n  </head>\n  <body>\n",
    );
    for entry in entries {
        out.extend_from_slice(b"    <a href=\"/simple/");
        out.extend_from_slice(entry.normalized.as_str().as_bytes());
        out.extend_from_slice(b"/\">");
        escape_into(&mut out, entry.name.as_str());
        out.extend_from_slice(b"</a>\n");
    }
    out.extend_from_slice(b"  </body>\n</html>\n");
    out
}

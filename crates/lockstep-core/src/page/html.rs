//! The HTML page (PEP 503, 592, 658, 714, 740, 792), frozen at repository version 1.4.
//!
//! Line for line the public index's template, but for two things that its oldest mirrors need:
//! void elements are closed, so that the page is well-formed XML, and links are relative.

use super::{FileEntry, FileLinks, ProjectState, file_path};
use crate::escape::escape_into;
use crate::status::Yanked;

/// The page up to its serial comment.
pub(super) fn body(state: &ProjectState, links: &FileLinks) -> Vec<u8> {
    let mut out = Vec::with_capacity(600 + state.files.len() * 600);
    let name = state.name.as_str();
    put(&mut out, "<!DOCTYPE html>\n<html lang=\"en\">\n  <head>\n");
    put(
        &mut out,
        "    <meta name=\"pypi:repository-version\" content=\"1.4\" />\n",
    );
    meta(&mut out, "pypi:project-status", state.status.as_str());
    if let Some(reason) = &state.status_reason {
        put(&mut out, "\n");
        meta(&mut out, "pypi:project-status-reason", reason.as_str());
    }
    put(&mut out, "    <title>Links for ");
    put(&mut out, name);
    put(
        &mut out,
        "</title>\n  </head>\n  <body>\n    <h1>Links for ",
    );
    put(&mut out, name);
    put(&mut out, "</h1>\n");
    for file in &state.files {
        anchor(&mut out, file, links);
    }
    put(&mut out, "</body>\n</html>\n");
    out
}

fn anchor(out: &mut Vec<u8>, file: &FileEntry, links: &FileLinks) {
    put(out, "<a href=\"");
    escape_into(out, links.base());
    put(out, &file_path(&file.blake2b_256, &file.filename));
    put(out, "#sha256=");
    put(out, &file.sha256.to_string());
    put(out, "\" ");
    if let Some(requires) = &file.requires_python {
        put(out, "data-requires-python=\"");
        escape_into(out, requires.as_str());
        put(out, "\" ");
    }
    if let Yanked::Yes(reason) = &file.yanked {
        put(out, "data-yanked=\"");
        escape_into(out, reason.as_ref().map_or("", |reason| reason.as_str()));
        put(out, "\" ");
    }
    if let Some(metadata) = &file.metadata_sha256 {
        let hash = metadata.to_string();
        // Old installers know only the first name, new ones only the second (PEP 714).
        put(out, &format!("data-dist-info-metadata=\"sha256={hash}\" "));
        put(out, &format!("data-core-metadata=\"sha256={hash}\""));
    }
    if let Some(url) = &file.provenance_url {
        put(out, " data-provenance=\"");
        escape_into(out, url);
        put(out, "\"");
    }
    put(out, ">");
    escape_into(out, file.filename.as_str());
    put(out, "</a><br />\n");
}

fn meta(out: &mut Vec<u8>, name: &str, content: &str) {
    put(out, "<meta name=\"");
    put(out, name);
    put(out, "\" content=\"");
    escape_into(out, content);
    put(out, "\" />");
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

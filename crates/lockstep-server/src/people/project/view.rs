//! What the page of a project says, and in which words.

use askama::Template;
use bytesize::ByteSize;
use lockstep_core::metadata::CoreMetadata;
use lockstep_core::name::NormalizedName;
use lockstep_core::page::{FileLinks, file_path};
use lockstep_core::serial::Serial;
use lockstep_core::status::{ProjectStatus, Reason};
use lockstep_core::version::RequiresPython;
use lockstep_store::catalog::{About, Event};
use lockstep_store::files::File;

use super::super::readme::{self, Readme};
use super::super::{Moment, Site, rendered};
use super::{Release, Shown};
use crate::error::ApiError;
use crate::settings::Settings;

/// Versions that are listed; a project may have thousands.
const VERSIONS: usize = 100;

#[derive(Template)]
#[template(path = "project.html")]
struct Page<'a> {
    site: Site<'a>,
    project: &'a NormalizedName,
    name: &'a str,
    notice: Option<Notice<'a>>,
    release: Option<Shelf<'a>>,
    serial: Serial,
    html_sha256: String,
    history: Vec<Line<'a>>,
}

/// The project's status marker (PEP 792), in words.
struct Notice<'a> {
    status: &'static str,
    sentence: &'static str,
    reason: Option<&'a str>,
}

/// The release that is shown.
struct Shelf<'a> {
    version: &'a str,
    /// Whether it was asked for by its version.
    asked_for: bool,
    summary: Option<&'a str>,
    /// The latest version, when this is another one.
    newer: Option<&'a str>,
    yanked: bool,
    yanked_reason: Option<&'a str>,
    readme: Option<Readme>,
    facts: Vec<(&'static str, Vec<&'a str>)>,
    links: Vec<(&'a str, &'a str)>,
    files: Vec<Row<'a>>,
    /// The newest of them, newest first.
    versions: Vec<Version<'a>>,
    /// How many there are, when they are not all listed.
    all_versions: Option<usize>,
}

struct Row<'a> {
    name: &'a str,
    href: String,
    size: String,
    at: Moment,
    sha256: String,
}

struct Version<'a> {
    version: &'a str,
    yanked: bool,
    this: bool,
}

/// A row of the history.
struct Line<'a> {
    serial: Serial,
    at: Moment,
    version: &'a str,
    action: &'a str,
    page: Option<Hash>,
}

struct Hash {
    whole: String,
    short: String,
}

/// The page's bytes: a function of the project's serial and the settings.
pub(super) fn render(
    settings: &Settings,
    links: &FileLinks,
    project: &NormalizedName,
    shown: &Shown,
) -> Result<Vec<u8>, ApiError> {
    let About {
        name,
        status_reason,
        ..
    } = &shown.about;
    rendered(&Page {
        site: Site::of(settings),
        project,
        name: name.as_str(),
        notice: notice(shown.about.status, status_reason.as_ref()),
        release: shown.release.as_ref().map(|release| shelf(release, links)),
        serial: shown.about.serial,
        html_sha256: shown.about.html_sha256.to_string(),
        history: shown.history.iter().map(line).collect(),
    })
}

fn notice(status: ProjectStatus, reason: Option<&Reason>) -> Option<Notice<'_>> {
    let sentence = match status {
        ProjectStatus::Active => return None,
        ProjectStatus::Archived => "No further releases are to be expected.",
        ProjectStatus::Deprecated => "Its maintainers advise to use something else.",
        ProjectStatus::Quarantined => {
            "It is thought to be harmful. Its files can't be installed while this is looked into."
        }
    };
    Some(Notice {
        status: status.as_str(),
        sentence,
        reason: reason.map(Reason::as_str),
    })
}

fn shelf<'a>(release: &'a Release, links: &FileLinks) -> Shelf<'a> {
    let metadata = &release.metadata;
    let this = &release.this;
    let content_type = metadata.description_content_type.as_deref();
    let description = metadata.description.as_deref();
    Shelf {
        version: this.version.as_str(),
        asked_for: release.asked_for,
        summary: metadata.summary.as_deref(),
        newer: (release.latest != this.version).then(|| release.latest.as_str()),
        yanked: this.yanked.is_yanked(),
        yanked_reason: this.yanked.reason().map(Reason::as_str),
        readme: description.and_then(|text| readme::render(text, content_type)),
        facts: facts(metadata),
        links: web_links(metadata),
        files: release.files.iter().map(|file| row(file, links)).collect(),
        versions: release
            .all
            .iter()
            .take(VERSIONS)
            .map(|it| Version {
                version: it.version.as_str(),
                yanked: it.yanked.is_yanked(),
                this: it.id == this.id,
            })
            .collect(),
        all_versions: Some(release.all.len()).filter(|all| *all > VERSIONS),
    }
}

fn facts(metadata: &CoreMetadata) -> Vec<(&'static str, Vec<&str>)> {
    let requires_python = metadata.requires_python.as_ref();
    // An old licence field may hold the whole text of the licence.
    let licence = match one(metadata.license_expression.as_ref()) {
        texts if texts.is_empty() => {
            let name = metadata
                .license
                .as_deref()
                .and_then(|text| text.lines().next());
            name.into_iter().collect()
        }
        texts => texts,
    };
    let facts = [
        (
            "Requires Python",
            requires_python
                .map(RequiresPython::as_str)
                .into_iter()
                .collect(),
        ),
        ("Licence", licence),
        (
            "Author",
            [
                one(metadata.author.as_ref()),
                one(metadata.author_email.as_ref()),
            ]
            .concat(),
        ),
        (
            "Maintainer",
            [
                one(metadata.maintainer.as_ref()),
                one(metadata.maintainer_email.as_ref()),
            ]
            .concat(),
        ),
        ("Keywords", one(metadata.keywords.as_ref())),
        ("Requires", list(&metadata.requires_dist)),
        ("Extras", list(&metadata.provides_extra)),
        ("Classifiers", list(&metadata.classifiers)),
    ];
    facts
        .into_iter()
        .filter(|(_, texts)| !texts.is_empty())
        .collect()
}

fn one(text: Option<&String>) -> Vec<&str> {
    text.into_iter().map(String::as_str).collect()
}

fn list(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The release's links to the web; any other scheme could be a script.
fn web_links(metadata: &CoreMetadata) -> Vec<(&str, &str)> {
    let urls = metadata.project_urls.iter();
    let mut links: Vec<_> = urls
        .map(|(label, url)| (label.as_str(), url.as_str()))
        .collect();
    for (label, url) in [
        ("Homepage", &metadata.home_page),
        ("Download", &metadata.download_url),
    ] {
        if let Some(url) = url.as_deref()
            && links.iter().all(|(_, there)| *there != url)
        {
            links.push((label, url));
        }
    }
    links.retain(|(label, url)| {
        let scheme = url
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        !label.trim().is_empty() && matches!(scheme.as_deref(), Some("http" | "https"))
    });
    links
}

fn row<'a>(file: &'a File, links: &FileLinks) -> Row<'a> {
    let base = match links {
        FileLinks::Relative => "",
        FileLinks::At(base) => base,
    };
    Row {
        name: file.filename.as_str(),
        href: format!("{base}{}", file_path(&file.blake2b_256, &file.filename)),
        size: ByteSize(file.size).display().iec().to_string(),
        at: file.upload_time.into(),
        sha256: file.sha256.to_string(),
    }
}

fn line(event: &Event) -> Line<'_> {
    Line {
        serial: event.serial,
        at: event.at.into(),
        version: event.version.as_deref().unwrap_or_default(),
        action: &event.action,
        page: event.html_sha256.map(|hash| {
            let whole = hash.to_string();
            let short = whole[..12].to_owned();
            Hash { whole, short }
        }),
    }
}

#[cfg(test)]
mod tests;

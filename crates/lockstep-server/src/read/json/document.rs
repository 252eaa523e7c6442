//! The JSON document itself, with the keys of the public index.

use lockstep_core::digest::{Blake2b256, Md5, Sha256};
use lockstep_core::latest::rank;
use lockstep_core::name::NormalizedName;
use lockstep_core::page::{file_path, page_time};
use lockstep_core::serial::Serial;
use lockstep_core::status::Reason;
use lockstep_core::version::{RequiresPython, Version};
use lockstep_store::files::File;
use lockstep_store::releases::Release;
use serde::ser::{Serialize, Serializer};

/// Where links point, and what state it is.
pub(super) struct Source<'a> {
    pub(super) public_url: &'a str,
    pub(super) files_base: &'a str,
    pub(super) serial: Serial,
}

#[derive(serde::Serialize)]
struct Document<'a> {
    info: Info<'a>,
    last_serial: Serial,
    ownership: Ownership,
    /// Only of the whole project: mirrors copy all releases from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<Ordered<Vec<Entry<'a>>>>,
    urls: Vec<Entry<'a>>,
    vulnerabilities: [(); 0],
}

#[derive(serde::Serialize)]
struct Ownership {
    organization: Option<()>,
    roles: [(); 0],
}

/// A map that keeps the order it is given.
struct Ordered<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[derive(serde::Serialize)]
struct Info<'a> {
    author: Option<&'a str>,
    author_email: Option<&'a str>,
    bugtrack_url: Option<()>,
    classifiers: &'a [String],
    description: Option<&'a str>,
    description_content_type: Option<&'a str>,
    docs_url: Option<()>,
    download_url: Option<&'a str>,
    downloads: Downloads,
    dynamic: Option<&'a [String]>,
    home_page: Option<&'a str>,
    keywords: Option<&'a str>,
    license: Option<&'a str>,
    license_expression: Option<&'a str>,
    license_files: Option<&'a [String]>,
    maintainer: Option<&'a str>,
    maintainer_email: Option<&'a str>,
    name: &'a str,
    package_url: String,
    platform: Option<String>,
    project_url: String,
    project_urls: Option<Ordered<&'a str>>,
    provides_extra: Option<&'a [String]>,
    release_url: String,
    requires_dist: Option<&'a [String]>,
    requires_python: Option<&'a str>,
    summary: Option<&'a str>,
    version: String,
    yanked: bool,
    yanked_reason: Option<&'a str>,
}

/// Not counted; the public index says -1, too.
#[derive(serde::Serialize)]
struct Downloads {
    last_day: i8,
    last_month: i8,
    last_week: i8,
}

#[derive(serde::Serialize, Clone)]
struct Entry<'a> {
    comment_text: Option<()>,
    #[serde(rename = "core-metadata")]
    core_metadata: Metadata,
    digests: Digests,
    downloads: i8,
    filename: &'a str,
    has_sig: bool,
    md5_digest: Md5,
    packagetype: &'static str,
    python_version: &'a str,
    requires_python: Option<&'a str>,
    size: u64,
    upload_time: String,
    upload_time_iso_8601: String,
    url: String,
    yanked: bool,
    yanked_reason: Option<&'a str>,
}

#[derive(serde::Serialize, Clone, Copy)]
#[serde(untagged)]
enum Metadata {
    At { sha256: Sha256 },
    Absent(bool),
}

#[derive(serde::Serialize, Clone, Copy)]
struct Digests {
    blake2b_256: Blake2b256,
    md5: Md5,
    sha256: Sha256,
}

/// The document of a project, or of one release; `None` when there is no (such) release.
pub(super) fn render(
    source: &Source<'_>,
    project: &NormalizedName,
    version: Option<&Version>,
    mut releases: Vec<Release>,
    files: &[File],
) -> Result<Option<Vec<u8>>, serde_json::Error> {
    // Newest first.
    releases.sort_by(|a, b| b.version.cmp(&a.version));
    let shown = match version {
        Some(version) => releases
            .iter()
            .find(|it| it.version.is_same_release_as(version)),
        None => releases
            .iter()
            .max_by_key(|it| rank(&it.version, it.yanked.is_yanked())),
    };
    let Some(shown) = shown else { return Ok(None) };
    let all = || {
        releases
            .iter()
            .map(|it| (it.version.to_string(), entries(source, it, files)))
            .collect()
    };
    let document = Document {
        info: info(source, project, shown),
        last_serial: source.serial,
        ownership: Ownership {
            organization: None,
            roles: [],
        },
        releases: version.is_none().then(|| Ordered(all())),
        urls: entries(source, shown, files),
        vulnerabilities: [],
    };
    let mut bytes = serde_json::to_vec(&document)?;
    bytes.push(b'\n');
    Ok(Some(bytes))
}

fn info<'a>(source: &Source<'_>, project: &NormalizedName, release: &'a Release) -> Info<'a> {
    let metadata = &release.metadata;
    let some = |list: &'a [String]| (!list.is_empty()).then_some(list);
    let page = format!("{}/project/{project}/", source.public_url);
    let urls: Vec<_> = metadata
        .project_urls
        .iter()
        .map(|(label, url)| (label.clone(), url.as_str()))
        .collect();
    Info {
        author: metadata.author.as_deref(),
        author_email: metadata.author_email.as_deref(),
        bugtrack_url: None,
        classifiers: &metadata.classifiers,
        description: metadata.description.as_deref(),
        description_content_type: metadata.description_content_type.as_deref(),
        docs_url: None,
        download_url: metadata.download_url.as_deref(),
        downloads: Downloads {
            last_day: -1,
            last_month: -1,
            last_week: -1,
        },
        dynamic: some(&metadata.dynamic),
        home_page: metadata.home_page.as_deref(),
        keywords: metadata.keywords.as_deref(),
        license: metadata.license.as_deref(),
        license_expression: metadata.license_expression.as_deref(),
        license_files: some(&metadata.license_files),
        maintainer: metadata.maintainer.as_deref(),
        maintainer_email: metadata.maintainer_email.as_deref(),
        name: metadata.name.as_str(),
        package_url: page.clone(),
        platform: metadata.platforms.first().cloned(),
        release_url: format!("{page}{}/", release.version),
        project_url: page,
        project_urls: (!urls.is_empty()).then_some(Ordered(urls)),
        provides_extra: some(&metadata.provides_extra),
        requires_dist: some(&metadata.requires_dist),
        requires_python: metadata
            .requires_python
            .as_ref()
            .map(RequiresPython::as_str),
        summary: metadata.summary.as_deref(),
        version: release.version.to_string(),
        yanked: release.yanked.is_yanked(),
        yanked_reason: release.yanked.reason().map(Reason::as_str),
    }
}

fn entries<'a>(source: &Source<'_>, release: &'a Release, files: &'a [File]) -> Vec<Entry<'a>> {
    let mine = files.iter().filter(|file| file.release == release.id);
    mine.map(|file| {
        let iso = page_time(file.upload_time);
        // The older key has whole seconds and no zone.
        let seconds = iso.split(['.', 'Z']).next().unwrap_or_default().to_owned();
        Entry {
            comment_text: None,
            core_metadata: file
                .metadata_sha256
                .map_or(Metadata::Absent(false), |sha256| Metadata::At { sha256 }),
            digests: Digests {
                blake2b_256: file.blake2b_256,
                md5: file.md5,
                sha256: file.sha256,
            },
            downloads: -1,
            filename: file.filename.as_str(),
            has_sig: false,
            md5_digest: file.md5,
            packagetype: file.kind.packagetype(),
            python_version: &file.python_tag,
            requires_python: file.requires_python.as_ref().map(RequiresPython::as_str),
            size: file.size,
            upload_time: seconds,
            upload_time_iso_8601: iso,
            url: format!(
                "{}{}",
                source.files_base,
                file_path(&file.blake2b_256, &file.filename)
            ),
            yanked: release.yanked.is_yanked(),
            yanked_reason: release.yanked.reason().map(Reason::as_str),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests;

//! `release_data(name, version)`: a release's metadata as the public index told them until 2024, nil where
//! there are none; `{}` for a release that is not there. Of what that index knew and this one does not
//! (downloads, quality measures, documentation hosting) the keys stay, since clients take them for granted.

use dxr::Value;
use lockstep_core::version::RequiresPython;

use super::super::CallError;
use super::super::params::{Asked, Params};
use super::super::project::{Announced, nothing};
use super::super::value::{members, optional, text, texts};
use crate::app::App;

pub(super) const NAME: &str = "release_data";

pub(super) async fn call(app: &App, mut params: Params) -> Result<Value, CallError> {
    let project = params.project("name");
    let version = params.version("version");
    let (Asked(project), Asked(version)) = params.end(project.zip(version))?;
    let project = Announced::read(app, project.as_ref()).await?;
    let Some((project, version)) = project.zip(version) else {
        return Ok(nothing());
    };
    let Some(it) = project.release(&version) else {
        return Ok(nothing());
    };
    let metadata = &it.release.metadata;
    let version = it.release.version.as_str();
    let latest = project.latest().map(|it| it.release.version.as_str());
    let page = {
        let normalized = project.name.normalized();
        format!("{}/project/{normalized}/", app.settings.public_url)
    };
    let urls: Vec<String> = metadata
        .project_urls
        .iter()
        .map(|(label, url)| format!("{label}, {url}"))
        .collect();
    let requires_python = metadata.requires_python.as_ref();
    Ok(members([
        ("name", text(project.name.as_str())),
        ("version", text(version)),
        ("stable_version", optional(latest)),
        ("bugtrack_url", Value::Nil),
        ("package_url", text(&page)),
        ("release_url", text(&format!("{page}{version}/"))),
        ("docs_url", Value::Nil),
        ("home_page", optional(metadata.home_page.as_deref())),
        ("download_url", optional(metadata.download_url.as_deref())),
        ("project_url", texts(&urls)),
        ("author", optional(metadata.author.as_deref())),
        ("author_email", optional(metadata.author_email.as_deref())),
        ("maintainer", optional(metadata.maintainer.as_deref())),
        (
            "maintainer_email",
            optional(metadata.maintainer_email.as_deref()),
        ),
        ("summary", optional(metadata.summary.as_deref())),
        ("description", optional(metadata.description.as_deref())),
        ("license", optional(metadata.license.as_deref())),
        ("keywords", optional(metadata.keywords.as_deref())),
        (
            "platform",
            optional(metadata.platforms.first().map(String::as_str)),
        ),
        ("classifiers", texts(&metadata.classifiers)),
        ("requires", texts(&metadata.requires)),
        ("requires_dist", texts(&metadata.requires_dist)),
        ("provides", texts(&metadata.provides)),
        ("provides_dist", texts(&metadata.provides_dist)),
        ("obsoletes", texts(&metadata.obsoletes)),
        ("obsoletes_dist", texts(&metadata.obsoletes_dist)),
        (
            "requires_python",
            optional(requires_python.map(RequiresPython::as_str)),
        ),
        ("requires_external", texts(&metadata.requires_external)),
        ("downloads", downloads()),
        ("cheesecake_code_kwalitee_id", Value::Nil),
        ("cheesecake_documentation_id", Value::Nil),
        ("cheesecake_installability_id", Value::Nil),
    ]))
}

/// Not counted; the public index says so in the same way.
fn downloads() -> Value {
    let spans = ["last_day", "last_week", "last_month"];
    members(spans.map(|span| (span, Value::Integer(-1))))
}

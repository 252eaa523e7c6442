//! `package_releases(name, show_hidden=False)`: the version that an installer would take, alone in a list;
//! with `show_hidden` all versions, newest first. `[]` for a project that is not there. As the public index
//! answered it until 2024; it had given up hiding releases long before.

use dxr::Value;

use super::super::CallError;
use super::super::params::{Asked, Params};
use super::super::project::{Announced, AnnouncedRelease};
use super::super::value::text;
use crate::app::App;

pub(super) const NAME: &str = "package_releases";

pub(super) async fn call(app: &App, mut params: Params) -> Result<Value, CallError> {
    let project = params.project("name");
    let show_hidden = params.flag("show_hidden", false);
    let (Asked(project), show_hidden) = params.end(project.zip(show_hidden))?;
    let Some(project) = Announced::read(app, project.as_ref()).await? else {
        return Ok(Value::Array(Vec::new()));
    };
    let version = |it: &AnnouncedRelease| text(it.release.version.as_str());
    let versions = if show_hidden {
        project.releases.iter().map(version).collect()
    } else {
        project.latest().map(version).into_iter().collect()
    };
    Ok(Value::Array(versions))
}

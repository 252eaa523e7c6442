//! `page_hashes(name)`: `{serial, html, json, content, files}`, what a project's pages and manifests hash
//! to at the announced serial. A removed project has nil for its pages; `{}` is one that never was.
//! Unknown to the public index.

use dxr::Value;

use super::super::CallError;
use super::super::params::{Asked, Params};
use super::super::project::{nothing, state};
use super::super::value::{hash, members, serial};
use crate::app::App;

pub(super) const NAME: &str = "page_hashes";

pub(super) async fn call(app: &App, mut params: Params) -> Result<Value, CallError> {
    let project = params.project("name");
    let Asked(Some(project)) = params.end(project)? else {
        return Ok(nothing());
    };
    let connection = app.store.connection().await?;
    let Some(state) = state(&connection, &project).await? else {
        return Ok(nothing());
    };
    let (html, json) = state.hashes.unzip();
    Ok(members([
        ("serial", serial(state.serial)),
        ("html", html.map_or(Value::Nil, hash)),
        ("json", json.map_or(Value::Nil, hash)),
        ("content", hash(state.content_sha256)),
        ("files", hash(state.files_sha256)),
    ]))
}

//! `file_hashes(name)`: `{file name: SHA-256}` of a project; `{}` for one that is not there. Its
//! `sha256sum -c` lines, sorted, hash to `files` of `page_hashes`. Unknown to the public index.

use dxr::Value;
use lockstep_store::begin_snapshot;

use super::super::CallError;
use super::super::params::{Asked, Params};
use super::super::project::{nothing, shown, state};
use super::super::value::hash;
use crate::app::App;

pub(super) const NAME: &str = "file_hashes";

pub(super) async fn call(app: &App, mut params: Params) -> Result<Value, CallError> {
    let project = params.project("name");
    let Asked(Some(project)) = params.end(project)? else {
        return Ok(nothing());
    };
    let mut connection = app.store.connection().await?;
    let snapshot = begin_snapshot(&mut connection).await?;
    let Some(state) = state(&snapshot, &project).await? else {
        return Ok(nothing());
    };
    let files = shown(&snapshot, &state).await?.into_iter();
    Ok(Value::Struct(
        files
            .map(|(name, file)| (name, hash(file.sha256)))
            .collect(),
    ))
}

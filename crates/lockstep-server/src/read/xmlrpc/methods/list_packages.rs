//! `list_packages()`: the names of all projects, sorted. As the public index answered it until 2024, but
//! normalized: pep381client takes a project whose page redirects for a deleted one.

use dxr::Value;
use lockstep_store::{projects, watermarks};

use super::super::CallError;
use super::super::params::Params;
use super::super::value::text;
use crate::app::App;

pub(super) const NAME: &str = "list_packages";

pub(super) async fn call(app: &App, params: Params) -> Result<Value, CallError> {
    params.end(Some(()))?;
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    let entries = projects::list_at(&connection, announced).await?;
    let names = entries.iter().map(|entry| text(entry.normalized.as_str()));
    Ok(Value::Array(names.collect()))
}

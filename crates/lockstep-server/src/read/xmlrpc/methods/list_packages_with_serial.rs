//! `list_packages_with_serial()`: `{display name: last serial}`, what a new bandersnatch mirror of version
//! 7 and before begins with. As in the public index, but one snapshot, never an hour old, and without
//! quarantined projects: it names what `/simple/` names.

use dxr::Value;
use lockstep_store::{projects, watermarks};

use super::super::CallError;
use super::super::params::Params;
use super::super::value::serial;
use crate::app::App;

pub(super) const NAME: &str = "list_packages_with_serial";

pub(super) async fn call(app: &App, params: Params) -> Result<Value, CallError> {
    params.end(Some(()))?;
    let connection = app.store.connection().await?;
    let announced = watermarks::read(&connection).await?.announced;
    let entries = projects::list_at(&connection, announced).await?;
    let packages = entries
        .iter()
        .map(|entry| (entry.name.as_str().to_owned(), serial(entry.last_serial)));
    Ok(Value::Struct(packages.collect()))
}

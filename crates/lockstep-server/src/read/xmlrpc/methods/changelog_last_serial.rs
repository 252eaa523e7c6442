//! `changelog_last_serial()`: the announced serial, an int. As in the public index, which says nil where
//! nothing has happened yet; here that is 0.

use dxr::Value;
use lockstep_store::watermarks;

use super::super::CallError;
use super::super::params::Params;
use super::super::value::serial;
use crate::app::App;

pub(super) const NAME: &str = "changelog_last_serial";

pub(super) async fn call(app: &App, params: Params) -> Result<Value, CallError> {
    params.end(Some(()))?;
    let connection = app.store.connection().await?;
    Ok(serial(watermarks::read(&connection).await?.announced))
}

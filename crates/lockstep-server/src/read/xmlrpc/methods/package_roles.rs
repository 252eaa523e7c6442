//! `package_roles(name)`: `[role, user]` of each owner and maintainer in the public index. An index whose
//! uploads are by token knows no users, so it is always `[]`.

use dxr::Value;

use super::super::CallError;
use super::super::params::Params;
use crate::app::App;

pub(super) const NAME: &str = "package_roles";

#[expect(clippy::unused_async, reason = "called as all methods are")]
pub(super) async fn call(_: &App, mut params: Params) -> Result<Value, CallError> {
    let project = params.project("name");
    params.end(project)?;
    Ok(Value::Array(Vec::new()))
}

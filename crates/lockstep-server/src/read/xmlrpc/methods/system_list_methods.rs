//! `system.listMethods()`: the names of all methods, sorted. A convention of XML-RPC servers, not of the
//! public index.

use dxr::Value;

use super::super::CallError;
use super::super::params::Params;
use super::super::value::text;
use super::{NAMES, system_multicall};
use crate::app::App;

pub(super) const NAME: &str = "system.listMethods";

#[expect(clippy::unused_async, reason = "called as all methods are")]
pub(super) async fn call(_: &App, params: Params) -> Result<Value, CallError> {
    params.end(Some(()))?;
    let mut names = [NAMES, &[system_multicall::NAME]].concat();
    names.sort_unstable();
    Ok(Value::Array(names.into_iter().map(text).collect()))
}

//! The methods, one file each: its `NAME`, and `call`, which takes its parameters and gives its result.

mod changelog;
mod changelog_last_serial;
mod changelog_since_serial;
mod changelog_since_serial_with_hashes;
mod file_hashes;
mod list_packages;
mod list_packages_with_serial;
mod package_releases;
mod package_roles;
mod page_hashes;
mod release_data;
mod release_urls;
mod system_list_methods;
mod system_multicall;

use dxr::Value;

use super::CallError;
use super::params::Params;
use crate::app::App;

macro_rules! table {
    ($($method:ident,)*) => {
        /// Every method that can be called within another.
        const NAMES: &[&str] = &[$($method::NAME),*];

        /// Runs one of them.
        async fn single(app: &App, name: &str, params: Params) -> Result<Value, CallError> {
            match name {
                $($method::NAME => $method::call(app, params).await,)*
                unknown => Err(CallError::unknown_method(unknown)),
            }
        }
    };
}

table! {
    changelog,
    changelog_last_serial,
    changelog_since_serial,
    changelog_since_serial_with_hashes,
    file_hashes,
    list_packages,
    list_packages_with_serial,
    package_releases,
    package_roles,
    page_hashes,
    release_data,
    release_urls,
    system_list_methods,
}

/// Runs a method.
pub(super) async fn call(app: &App, name: &str, params: Vec<Value>) -> Result<Value, CallError> {
    let params = Params::new(params);
    if name == system_multicall::NAME {
        system_multicall::call(app, params).await
    } else {
        single(app, name, params).await
    }
}

//! `release_urls(name, version)`: the files of a release, sorted by name; `[]` for a release that is not
//! there. As the public index answered it until 2024, with addresses that work from anywhere.

use dxr::Value;
use lockstep_core::page::{file_path, page_time};
use lockstep_core::version::RequiresPython;
use lockstep_store::files::File;

use super::super::CallError;
use super::super::params::{Asked, Params};
use super::super::project::{Announced, files_base};
use super::super::value::{integer, members, optional, text, time};
use crate::app::App;

pub(super) const NAME: &str = "release_urls";

pub(super) async fn call(app: &App, mut params: Params) -> Result<Value, CallError> {
    let project = params.project("name");
    let version = params.version("version");
    let (Asked(project), Asked(version)) = params.end(project.zip(version))?;
    let project = Announced::read(app, project.as_ref()).await?;
    let files = match (&project, &version) {
        (Some(project), Some(version)) => project.release(version).map(|it| it.files.as_slice()),
        _ => None,
    };
    let base = files_base(app);
    let files = files.unwrap_or_default().iter();
    Ok(Value::Array(files.map(|file| told(base, file)).collect()))
}

fn told(base: &str, file: &File) -> Value {
    let path = file_path(&file.blake2b_256, &file.filename);
    let sha256 = text(&file.sha256.to_string());
    let md5 = text(&file.md5.to_string());
    let requires_python = file.requires_python.as_ref();
    members([
        ("filename", text(file.filename.as_str())),
        ("packagetype", text(file.kind.packagetype())),
        ("python_version", text(&file.python_tag)),
        (
            "requires_python",
            optional(requires_python.map(RequiresPython::as_str)),
        ),
        ("size", integer(file.size)),
        ("md5_digest", md5.clone()),
        ("sha256_digest", sha256.clone()),
        (
            "digests",
            members([
                ("md5", md5),
                ("sha256", sha256),
                ("blake2b_256", text(&file.blake2b_256.to_string())),
            ]),
        ),
        ("has_sig", Value::Boolean(false)),
        ("upload_time", time(file.upload_time)),
        ("upload_time_iso_8601", text(&page_time(file.upload_time))),
        ("comment_text", text("")),
        ("downloads", Value::Integer(-1)),
        ("path", text(path.trim_start_matches("/packages/"))),
        ("url", text(&format!("{base}{path}"))),
    ])
}

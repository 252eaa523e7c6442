//! The description of the API: valid, complete, and true. Every route is in it, every path of it is
//! routed, and what the index answers is what it says.

mod answers;
mod changes;
mod judge;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use lockstep_tests::index::{TestIndex, client};
use reqwest::Method;

use self::judge::Api;
use crate::http::{ask, get};

fn server_source(file: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("../crates/lockstep-server/src").join(file)
}

fn document_file() -> PathBuf {
    server_source("read/openapi.json")
}

#[test]
fn the_document_is_valid() -> anyhow::Result<()> {
    let Some(validator) = client("openapi", "openapi-spec-validator")? else {
        return Ok(());
    };
    let output = Command::new(validator)
        .args(["--schema", "3.1", "--validation-errors", "all"])
        .arg(document_file())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}{error}");
    Ok(())
}

/// Operations that generated clients call by name: a name that is gone breaks them.
const NAMES: &str = "change changeContent changeFiles changesSince changesWithoutSlash events file front \
    healthz latestSnapshot legacyProject legacyProjectWithSlash legacyRelease legacyReleaseWithSlash \
    metrics openapi packagesFeed pageByHash project projectFeed projectPage projectPageWithoutSlash \
    projectWithoutSlash projects projectsWithoutSlash provenance readyz releasePage \
    releasePageWithoutSlash removeFile removeProject removeRelease search searchWithoutSlash segment \
    serversig serversigWithoutSlash setStatus snapshot state unyank updatesFeed upload \
    uploadWithoutSlash xmlrpc xmlrpcRpc2 xmlrpcWithSlash yank";

#[tokio::test]
async fn it_is_served_as_it_is_written_and_keeps_its_names() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let got = get(&index, "/api/openapi.json", &[]).await?;
    let written = fs::read(document_file())?;
    let tag = format!("\"{}\"", Sha256::of(&written));
    ensure!(got.body == written, "other bytes are served");
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=300"),
        ("access-control-allow-origin", "*"),
        ("etag", &tag),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    let again = get(&index, "/api/openapi.json", &[("if-none-match", &tag)]).await?;
    assert_eq!((again.status, again.body.len()), (304, 0));

    let api = Api::read()?;
    let names: BTreeSet<_> = api.operations().map(|it| it.id).collect();
    let frozen: BTreeSet<_> = NAMES.split_whitespace().map(str::to_owned).collect();
    assert_eq!(names, frozen);
    Ok(())
}

/// The paths of a source's `.route("…"`.
fn routes(text: &str, below: &str) -> Vec<String> {
    let calls = text.split(".route(").skip(1);
    // Where there never is anything, nothing is to be described: people get a page that says so.
    let calls = calls.filter(|call| !call.contains("get(project::nothing)"));
    let paths = calls.filter_map(|call| call.split('"').nth(1));
    paths.map(|path| format!("{below}{path}")).collect()
}

/// Every path that the server has a handler for, read from its sources.
fn routed() -> anyhow::Result<BTreeSet<String>> {
    let people = fs::read_to_string(server_source("people.rs"))?;
    let (_, people) = people
        .split_once("let projects = Router::new()")
        .context("people.rs has no router of projects")?;
    let (projects, rest) = people.split_once(';').context("no end of it")?;
    ensure!(rest.contains(".nest(\"/project\", projects)"));
    let mut routed: BTreeSet<_> = routes(projects, "/project").into_iter().collect();
    routed.extend(routes(rest, ""));
    routed.extend(routes(&fs::read_to_string(server_source("http.rs"))?, ""));
    Ok(routed)
}

/// No route is added without its lines here.
#[test]
fn every_route_is_in_it_and_every_path_is_routed() -> anyhow::Result<()> {
    let described: BTreeSet<_> = Api::read()?.operations().map(|it| it.path).collect();
    assert_eq!(described, routed()?);
    Ok(())
}

/// What may be done at each path, as the server itself tells who does something else.
#[tokio::test]
async fn the_methods_of_each_path_are_those_described() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let api = Api::read()?;
    let paths: BTreeSet<_> = api.operations().map(|it| it.path).collect();
    for path in paths {
        let at = path.replace(['{', '}'], "");
        let got = ask(&index, Method::TRACE, &at, &[]).await?;
        ensure!(got.status == 405, "{at}: {}", got.status);
        let allowed = got.header("allow").split(',').map(str::trim);
        let allowed: BTreeSet<_> = allowed
            .filter(|method| !["HEAD", "OPTIONS"].contains(method))
            .map(str::to_owned)
            .collect();
        let described = api.operations().filter(|it| it.path == path);
        let described: BTreeSet<_> = described.map(|it| it.method.to_string()).collect();
        assert_eq!(allowed, described, "{path}");
    }
    Ok(())
}

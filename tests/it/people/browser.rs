//! The pages in a real Chromium: for eyes that see little contrast, narrow screens, keyboards, screen
//! readers (axe-core's rules), no JavaScript, and a publisher who means harm.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::index::TestIndex;
use reqwest::Method;
use serde_json::json;

use super::hostile;
use crate::read::upload;

/// Chromium, Node and what `tests/browser/setup` fetched; `None`, with a visible line, when something
/// can't be had on this machine, and an error where clients are required.
#[expect(
    clippy::disallowed_methods,
    reason = "tests/run tells whether clients may be absent; PATH says where programs are"
)]
fn browser() -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    let folders = std::env::var("PATH")?;
    let program = |names: &[&str]| {
        let mut paths = std::env::split_paths(&folders).flat_map(|folder| {
            names
                .iter()
                .map(move |name| folder.join(name))
                .collect::<Vec<_>>()
        });
        paths.find(|path| path.is_file())
    };
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/browser");
    let fetched = modules.join("node_modules/axe-core").is_dir();
    let chromium = program(&["chromium", "chromium-browser", "google-chrome"]);
    if let (Some(chromium), Some(_), true) = (chromium, program(&["node"]), fetched) {
        return Ok(Some((chromium, modules)));
    }
    ensure!(
        std::env::var("LOCKSTEP_REQUIRE_CLIENTS").as_deref() != Ok("1"),
        "a browser is required: install chromium, nodejs and npm, run tests/browser/setup"
    );
    eprintln!("SKIP: no chromium, no node, or tests/browser/setup was not run");
    Ok(None)
}

#[tokio::test]
async fn anybody_can_read_them_and_nobody_is_harmed() -> anyhow::Result<()> {
    let Some((chromium, modules)) = browser()? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    upload(
        &index,
        "Hostile",
        "1.0",
        &wheel("Hostile", "1.0", &hostile()),
    )
    .await?;
    upload(
        &index,
        "Hostile",
        "1.1a1",
        &wheel("Hostile", "1.1a1", &hostile()),
    )
    .await?;
    let plain = Opts {
        summary: Some("Its readme is plain text".to_owned()),
        description: Some(format!(
            "Title\n=====\n\n.. code::\n\n    {}\n",
            "long ".repeat(50)
        )),
        ..Opts::default()
    };
    let name =
        "a-name-as-long-as-names-are-seldom-and-yet-as-long-as-somebody-will-surely-choose-one-day";
    upload(&index, name, "1.0", &wheel(name, "1.0", &plain)).await?;
    let marked = [("archived", "moved"), ("quarantined", "stole keys")];
    for (status, reason) in marked {
        let name = format!("is-{status}");
        upload(&index, &name, "1.0", &wheel(&name, "1.0", &hostile())).await?;
        let (path, body) = (
            format!("{name}/status"),
            json!({"status": status, "reason": reason}),
        );
        index.order(Method::PUT, &path, &body).await?;
    }
    let (path, body) = ("hostile/releases/1.1a1/yank", json!({"reason": "broken"}));
    index.order(Method::POST, path, &body).await?;
    index.settle()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/look.mjs");
    let pictures = modules.join("pictures");
    std::fs::create_dir_all(&pictures)?;
    let output = Command::new("node")
        .arg(script)
        .arg(chromium)
        .arg(&modules)
        .arg(&pictures)
        .arg(index.url())
        .args([
            "/",
            "/search/",
            "/search/?q=none%25",
            "/project/hostile/",
            "/project/hostile/1.1a1/",
        ])
        .args([
            "/project/is-archived/",
            "/project/is-quarantined/",
            "/project/absent/",
        ])
        .arg(format!("/project/{name}/"))
        .output()
        .context("could not run node")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "the browser found:\n{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    eprintln!(
        "{}: nine pages, light and dark, narrow and wide, without scripts",
        said.trim()
    );
    Ok(())
}

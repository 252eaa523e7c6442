//! Distributions that others built, by many tools: each must pass. The rules are strict, and a rule
//! that refuses what people publish is wrong.

use std::path::{Path, PathBuf};

use lockstep_core::digest::Sha256;
use lockstep_tests::dist::Dist;
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

/// What `tests/clients/setup` brought, sorted; nothing where it was not run.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may be told by the environment what may be missing"
)]
fn downloaded() -> anyhow::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/real");
    if !folder.join(".stamp").exists() {
        anyhow::ensure!(
            std::env::var("LOCKSTEP_REQUIRE_CLIENTS").as_deref() != Ok("1"),
            "real distributions are required; run tests/clients/setup and see what it says"
        );
        eprintln!("SKIP: no real distributions on this machine");
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|kind| kind == "whl" || kind == "gz")
        {
            files.push(path);
        }
    }
    files.sort();
    anyhow::ensure!(files.len() >= 20, "only {} real distributions", files.len());
    Ok(files)
}

#[tokio::test]
async fn what_others_built_passes() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let mut refused = Vec::new();
    for path in downloaded()? {
        let filename = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path)?;
        let stem = filename.trim_end_matches(".tar.gz");
        let mut parts = stem.splitn(3, '-');
        let (name, version) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let dist = Dist {
            sha256: Sha256::of(&bytes).to_string(),
            filename: filename.clone(),
            bytes,
        };
        let answer = Form::of(name, version, &dist).send(&index).await?;
        eprintln!("{:100} {} {}", filename, answer.status, answer.body.trim());
        if answer.status != 200 {
            refused.push(format!("{filename}: {}", answer.body));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    index.settle()?;
    index.fsck()
}

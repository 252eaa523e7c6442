//! What the guide tells people to run, run.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::edge::Edge;
use reqwest::Method;
use serde_json::Value;

fn assert_edge(index: &str, edge: &str) -> anyhow::Result<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/assert.py");
    let mut command = Command::new("python3");
    command.arg(script).args([index, edge]);
    Ok(command.env("no_proxy", "127.0.0.1").output()?)
}

/// Twenty lines are enough to find an old page, a page that should be gone, and nothing else.
#[tokio::test]
async fn a_mirror_can_assert_itself_in_twenty_lines() -> anyhow::Result<()> {
    let edge = Edge::start()?;
    for name in ["first", "second", "third"] {
        let dist = wheel(name, "1.0", &Opts::default());
        edge.upload(name, "1.0", &dist).await?;
    }
    let newer = wheel("first", "2.0", &Opts::default());
    edge.upload("first", "2.0", &newer).await?;
    edge.index
        .order(Method::DELETE, "third", &Value::Null)
        .await?;
    edge.index.settle()?;
    let (index, pop) = (edge.index.url(), edge.pop.url());
    let said = assert_edge(&index, &pop)?;
    ensure!(said.status.success() && said.stdout.is_empty(), "{said:?}");

    // Another index is a mirror with old pages, and with one that should be gone.
    let other = Edge::start()?;
    for name in ["first", "third"] {
        let dist = wheel(name, "1.0", &Opts::default());
        other.upload(name, "1.0", &dist).await?;
    }
    other.index.settle()?;
    let said = assert_edge(&index, &other.pop.url())?;
    let lines = String::from_utf8(said.stdout)?;
    let expected = "first: not the page at serial 11\nsecond: not the page at serial 6\n\
                    third: not the page at serial 12\n";
    assert_eq!((said.status.code(), lines.as_str()), (Some(1), expected));
    Ok(())
}

//! XML-RPC: every method by Python's own client, and what no client sends by hand.

mod announced;
mod limits;
mod methods;
mod refused;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use lockstep_tests::index::TestIndex;
use serde_json::{Value, json};

/// What Python's client is told by each call, `[path, method, arguments]`.
fn python(index: &TestIndex, calls: &Value) -> anyhow::Result<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/xmlrpc_client.py");
    let mut client = Command::new("python3")
        .arg(script)
        .arg(index.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = client.stdin.take().context("no stdin")?;
    stdin.write_all(calls.to_string().as_bytes())?;
    drop(stdin);
    let output = client.wait_with_output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The result of one call, which is no fault.
fn value(index: &TestIndex, method: &str, arguments: &Value) -> anyhow::Result<Value> {
    let mut answers = python(index, &json!([["/pypi", method, arguments]]))?;
    let mut answer = answers.pop().context("no answer")?;
    ensure!(answer[0] == "value", "{method}{arguments}: {answer}");
    Ok(answer[1].take())
}

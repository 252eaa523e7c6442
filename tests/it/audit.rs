//! `lockstep audit`, run as people run it: against edges, mirrors and folders that are right, old,
//! tampered with, or not there.

mod devpi;
mod folder;
mod hostile;
mod orders;
mod site;
mod table;
mod tamper;

use std::process::Command;

pub(super) use folder::{copy, files_below, mirror};
pub(super) use table::{Column, column};

use anyhow::Context as _;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{TestIndex, binary};
use serde_json::Value;

/// What an audit said.
#[derive(Debug)]
pub(super) struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    /// The JSON document.
    fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("no JSON: {self:?}"))
    }

    /// Nothing was found, in so many projects.
    pub(super) fn is_exact(&self, projects: usize) {
        let all = format!("{projects} exact\n");
        assert!(
            self.code == 0 && self.out.is_empty() && self.err.ends_with(&all),
            "{self:?}"
        );
    }

    /// Exactly these findings, each given by what it begins with and what it contains.
    pub(super) fn found(&self, findings: &[(&str, &str)]) {
        let lines: Vec<&str> = self.out.lines().collect();
        assert_eq!((self.code, lines.len()), (1, findings.len()), "{self:?}");
        for (line, (begin, part)) in lines.iter().zip(findings) {
            assert!(
                line.starts_with(begin) && line.contains(part),
                "{line}\n{self:?}"
            );
        }
    }
}

pub(super) fn audit(index: &str, target: &str, more: &[&str]) -> anyhow::Result<Said> {
    let output = Command::new(binary())
        .args(["audit", target, "--index", index])
        .args(more)
        .output()?;
    Ok(Said {
        code: output.status.code().context("no exit code")?,
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

/// Uploads a wheel; returns the serial.
async fn upload(index: &TestIndex, name: &str, version: &str) -> anyhow::Result<u64> {
    let opts = Opts {
        // Its signs must be escaped in HTML.
        requires_python: Some(">=3.8,<4".to_owned()),
        ..Opts::default()
    };
    let dist = wheel(name, version, &opts);
    let answer = Form::of(name, version, &dist).send(index).await?;
    anyhow::ensure!(answer.status == 200, "{answer:?}");
    answer.serial.context("no serial")
}

/// The bytes of a project's page.
async fn page(index: &TestIndex, project: &str, json: bool) -> anyhow::Result<Vec<u8>> {
    let accept = if json {
        "application/vnd.pypi.simple.v1+json"
    } else {
        "text/html"
    };
    let url = format!("{}/simple/{project}/", index.url());
    let request = reqwest::Client::new().get(url).header("accept", accept);
    let response = request.send().await?.error_for_status()?;
    Ok(response.bytes().await?.to_vec())
}

//! Management: each order given by HTTP and by command, and judged by everything that can be seen of
//! it: the answer, both pages, the JSON API, the list, XML-RPC, the changelog, the purges.

mod command;
mod crash;
mod edge;
mod judge;
mod life;
mod purge;
mod races;
mod refusals;

use anyhow::{Context as _, ensure};
use lockstep_tests::index::{TOKEN, TestIndex};
use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Got, client, finish};

/// The two ways to give an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Http,
    Command,
}

/// An order in both its forms.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    method: Method,
    path: String,
    body: Value,
    arguments: Vec<String>,
}

/// What an order was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    serial: u64,
    /// Hash of the HTML page; `None`: no page.
    page: Option<String>,
}

fn order(method: Method, path: String, body: Value, arguments: &[&str]) -> Order {
    Order {
        method,
        path,
        body,
        arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
    }
}

fn yank(project: &str, version: &str, reason: Option<&str>) -> Order {
    let mut arguments = vec!["yank", project, version];
    if let Some(reason) = reason {
        arguments.extend(["--reason", reason]);
    }
    let path = format!("{project}/releases/{version}/yank");
    order(Method::POST, path, json!({"reason": reason}), &arguments)
}

fn unyank(project: &str, version: &str) -> Order {
    let path = format!("{project}/releases/{version}/unyank");
    let arguments = ["yank", project, version, "--undo"];
    order(Method::POST, path, Value::Null, &arguments)
}

fn remove_file(project: &str, filename: &str) -> Order {
    let path = format!("{project}/files/{filename}");
    let arguments = ["remove", project, "--file", filename];
    order(Method::DELETE, path, Value::Null, &arguments)
}

fn remove_release(project: &str, version: &str) -> Order {
    let path = format!("{project}/releases/{version}");
    let arguments = ["remove", project, version];
    order(Method::DELETE, path, Value::Null, &arguments)
}

fn remove_project(project: &str) -> Order {
    let arguments = ["remove", project];
    order(Method::DELETE, project.to_owned(), Value::Null, &arguments)
}

fn status(project: &str, status: &str, reason: Option<&str>) -> Order {
    let mut arguments = vec!["status", project, status];
    if let Some(reason) = reason {
        arguments.extend(["--reason", reason]);
    }
    let body = json!({"status": status, "reason": reason});
    order(Method::PUT, format!("{project}/status"), body, &arguments)
}

impl Order {
    /// Gives it over HTTP to whoever answers at `base`.
    async fn send(&self, base: &str) -> anyhow::Result<Got> {
        let url = format!("{base}/api/projects/{}", self.path);
        let mut request = client()?
            .request(self.method.clone(), url)
            .bearer_auth(TOKEN);
        if !self.body.is_null() {
            request = request.body(self.body.to_string());
        }
        finish(request).await
    }

    /// Gives it; it must succeed.
    async fn give(&self, index: &TestIndex, by: By) -> anyhow::Result<Told> {
        match by {
            By::Http => {
                let got = self.send(&index.url()).await?;
                ensure!(got.status == 200, "{self:?}: {}", got.text());
                told(&got.json()?)
            }
            By::Command => {
                let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
                told_in(&index.lockstep(&arguments)?)
            }
        }
    }
}

fn told(answer: &Value) -> anyhow::Result<Told> {
    let page = &answer["page"]["html"]["sha256"];
    Ok(Told {
        serial: answer["serial"].as_u64().context("no serial")?,
        page: page.as_str().map(str::to_owned),
    })
}

/// The last line: `what: serial N, page HASH`, or `no page`.
fn told_in(text: &str) -> anyhow::Result<Told> {
    let last = text.lines().last().unwrap_or_default();
    let (_, end) = last.rsplit_once(": serial ").context(last.to_owned())?;
    let (serial, page) = end.split_once(", ").context(last.to_owned())?;
    ensure!(page == "no page" || page.starts_with("page "), "{last}");
    Ok(Told {
        serial: serial.parse()?,
        page: page.strip_prefix("page ").map(str::to_owned),
    })
}

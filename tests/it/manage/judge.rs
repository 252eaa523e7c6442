//! What can be seen of an order: the answer, the changelog, both pages, the manifests, the JSON API, the
//! lists. All of it at the announced serial, with nothing left over.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::Dist;
use lockstep_tests::index::TestIndex;
use lockstep_tests::reader::{JSON, Reader};
use serde_json::{Value, json};

use super::Told;
use crate::http::get;

pub(super) const PROJECT: &str = "managed";
/// As it spells itself.
pub(super) const NAME: &str = "Managed";

/// What must be seen after an order.
pub(super) struct Seen {
    pub(super) kind: &'static str,
    pub(super) action: String,
    pub(super) version: Value,
    /// Names of the files that the row says are added, and removed.
    pub(super) added: Vec<Dist>,
    pub(super) removed: Vec<Dist>,
    /// The files shown, with what they say of being yanked.
    pub(super) files: Vec<(Dist, Value)>,
    pub(super) status: Value,
    pub(super) listed: bool,
}

/// A project of which `files` are shown, none of them yanked.
pub(super) fn seen(kind: &'static str, action: &str, files: &[&Dist]) -> Seen {
    Seen {
        kind,
        action: action.to_owned(),
        version: Value::Null,
        added: Vec::new(),
        removed: Vec::new(),
        files: files.iter().map(|&it| (it.clone(), json!(false))).collect(),
        status: json!({"status": "active"}),
        listed: true,
    }
}

fn hashes(dists: &[Dist]) -> Value {
    let map = dists
        .iter()
        .map(|it| (it.filename.clone(), json!(it.sha256)));
    Value::Object(map.collect())
}

/// Judges what the changelog says and what is shown.
pub(super) async fn judge(index: &TestIndex, told: &Told, seen: &Seen) -> anyhow::Result<()> {
    index.settle()?;
    index.fsck()?;
    let reader = Reader::new()?;
    let url = index.url();
    let serial = told.serial;
    let row = reader.get(&format!("{url}/changelog/{serial}")).await?;
    let row = row.json()?;
    let says = (&row["kind"], &row["action"], &row["version"], &row["name"]);
    let wanted = (&json!(seen.kind), &json!(seen.action), &seen.version);
    ensure!(
        says == (wanted.0, wanted.1, wanted.2, &json!(NAME)),
        "{row}"
    );
    ensure!(row["project"] == PROJECT, "{row}");
    ensure!(row["files"]["added"] == hashes(&seen.added), "{row}");
    ensure!(row["files"]["removed"] == hashes(&seen.removed), "{row}");
    ensure!(row["files"]["count"] == seen.files.len(), "{row}");
    for manifest in ["files", "content"] {
        let at = row[manifest]["url"].as_str().context("no url")?;
        let bytes = reader.get(&format!("{url}{at}")).await?;
        ensure!(row[manifest]["sha256"] == bytes.hash(), "{manifest}: {row}");
        let lines = String::from_utf8(bytes.bytes)?.lines().count();
        ensure!(lines == seen.files.len(), "{manifest}: {lines} lines");
    }
    judge_lists(index, told, seen.listed).await?;
    match &told.page {
        Some(page) => judge_pages(index, (&row, page, serial), seen).await,
        None => judge_gone(index, &row).await,
    }
}

async fn judge_pages(
    index: &TestIndex,
    (row, page, serial): (&Value, &str, u64),
    seen: &Seen,
) -> anyhow::Result<()> {
    let reader = Reader::new()?;
    let at = format!("{}/simple/{PROJECT}/", index.url());
    ensure!(row["page"]["serial"] == serial, "{row}");
    let html = reader.variant(&at, ("text/html", false)).await?;
    ensure!(
        html.hash() == page && row["page"]["html"]["sha256"] == page,
        "the answer, the changelog and the page differ: {page}, {row}"
    );
    let json = reader.variant(&at, (JSON, false)).await?;
    ensure!(row["page"]["json"]["sha256"] == json.hash(), "{row}");
    ensure!((html.serial, json.serial) == (Some(serial), Some(serial)));
    let text = String::from_utf8_lossy(&html.bytes).into_owned();
    let json = json.json()?;
    ensure!(json["project-status"] == seen.status, "{json}");
    let shown: BTreeMap<&str, &Value> = json["files"]
        .as_array()
        .context("files")?
        .iter()
        .map(|file| (file["filename"].as_str().unwrap_or_default(), file))
        .collect();
    ensure!(shown.len() == seen.files.len(), "{json}");
    ensure!(text.matches("<a href").count() == shown.len(), "{text}");
    for (dist, yanked) in &seen.files {
        let file = shown[dist.filename.as_str()];
        ensure!(file["yanked"] == *yanked, "{file}");
        ensure!(file["hashes"]["sha256"] == dist.sha256, "{file}");
        let marks = match yanked {
            Value::String(reason) => text.contains(&format!("data-yanked=\"{reason}\"")),
            _ => true,
        };
        ensure!(marks, "{text}");
    }
    ensure!(
        text.contains("data-yanked") == seen.files.iter().any(|(_, yanked)| *yanked != false),
        "{text}"
    );
    if seen.files.is_empty() {
        ensure!(json["versions"] == json!([]), "{json}");
    }
    let legacy = reader
        .get(&format!("{}/pypi/{PROJECT}/json", index.url()))
        .await?;
    if !seen.listed {
        ensure!(legacy.status == 404, "{legacy:?}");
        return Ok(());
    }
    let legacy = legacy.json()?;
    ensure!(legacy["last_serial"] == serial, "{legacy}");
    let files: Vec<&Value> = legacy["releases"]
        .as_object()
        .context("releases")?
        .values()
        .flat_map(|files| files.as_array().into_iter().flatten())
        .collect();
    ensure!(files.len() == seen.files.len(), "{legacy}");
    for file in files {
        let yanked = shown[file["filename"].as_str().unwrap_or_default()]["yanked"].clone();
        ensure!(file["yanked"] == (yanked != false), "{file}");
        ensure!(file["yanked_reason"].as_str() == yanked.as_str(), "{file}");
    }
    Ok(())
}

async fn judge_gone(index: &TestIndex, row: &Value) -> anyhow::Result<()> {
    ensure!(row["page"].is_null(), "{row}");
    let nothing = Sha256::of(b"").to_string();
    ensure!(row["content"]["sha256"] == nothing && row["files"]["sha256"] == nothing);
    for path in [
        format!("/simple/{PROJECT}/"),
        format!("/pypi/{PROJECT}/json"),
        format!("/pypi/{PROJECT}/1.0/json"),
    ] {
        let got = get(index, &path, &[]).await?;
        ensure!(got.status == 404, "{path}: {}", got.status);
        // So that its return is seen.
        let keys = got.header("surrogate-key");
        ensure!(keys == format!("project-{PROJECT}"), "{path}: {keys}");
    }
    Ok(())
}

/// The list of projects in all its forms, all of them at the announced serial.
async fn judge_lists(index: &TestIndex, told: &Told, listed: bool) -> anyhow::Result<()> {
    let reader = Reader::new()?;
    let at = format!("{}/simple/", index.url());
    let list = reader.variant(&at, (JSON, false)).await?.json()?;
    ensure!(list["meta"]["_last-serial"] == told.serial, "{list}");
    let wanted = if listed {
        json!([{"_last-serial": told.serial, "name": NAME}])
    } else {
        json!([])
    };
    ensure!(list["projects"] == wanted, "{list}");
    let html = reader.variant(&at, ("text/html", false)).await?;
    let html = String::from_utf8_lossy(&html.bytes).into_owned();
    ensure!(html.contains("/simple/managed/") == listed, "{html}");
    let call = "<?xml version='1.0'?><methodCall>\
                <methodName>list_packages_with_serial</methodName></methodCall>";
    let response = crate::http::finish(
        crate::http::client()?
            .post(format!("{}/RPC2", index.url()))
            .header("content-type", "text/xml")
            .body(call),
    )
    .await?;
    let named = response.text().contains("<name>Managed</name>");
    ensure!(named == listed, "{}", response.text());
    Ok(())
}

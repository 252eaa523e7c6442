//! The life of a project from its first upload to its removal and back, order by order.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use lockstep_core::digest::Sha256;
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;
use lockstep_tests::purge_sink::PurgeSink;
use lockstep_tests::reader::{JSON, Reader};
use serde_json::{Value, json};

use super::{By, Order, Told, remove_file, remove_project, remove_release, status, unyank, yank};
use crate::http::get;
use crate::refusals::state::State;

const PROJECT: &str = "managed";
/// As it spells itself.
const NAME: &str = "Managed";

/// What must be seen after an order.
struct Seen {
    kind: &'static str,
    action: String,
    version: Value,
    /// Names of the files that the row says are added, and removed.
    added: Vec<Dist>,
    removed: Vec<Dist>,
    /// The files shown, with what they say of being yanked.
    files: Vec<(Dist, Value)>,
    status: Value,
    listed: bool,
}

/// A project of which `files` are shown, none of them yanked.
fn seen(kind: &'static str, action: &str, files: &[&Dist]) -> Seen {
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
async fn judge(index: &TestIndex, told: &Told, seen: &Seen) -> anyhow::Result<()> {
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
        let lines = bytes.bytes.iter().filter(|it| **it == b'\n').count();
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

struct Life {
    index: TestIndex,
    sink: PurgeSink,
    by: By,
}

impl Life {
    async fn upload(&self, version: &str, dist: &Dist) -> anyhow::Result<u16> {
        let answer = Form::of(NAME, version, dist).send(&self.index).await?;
        Ok(answer.status)
    }

    /// An order that changes something: one row, purged twice before it is announced.
    async fn changes(&self, order: &Order, wanted: &Seen) -> anyhow::Result<Told> {
        let before = State::of(&self.index)?;
        let (count, purges) = (last_serial(&before), self.sink.purges().len());
        let told = order.give(&self.index, self.by).await?;
        ensure!(told.serial == count + 1, "one row: {told:?} after {count}");
        judge(&self.index, &told, wanted)
            .await
            .with_context(|| format!("after {order:?}"))?;
        let purges = self.sink.purges()[purges..].to_vec();
        let ours = |keys: &String| keys == "project-managed";
        ensure!(purges.len() == 2 && purges.iter().all(ours), "{purges:?}");
        // Given again it finds itself carried out; what was removed can't be found to be removed again.
        if !order.arguments.contains(&"remove".to_owned()) {
            let state = State::of(&self.index)?;
            let again = order.give(&self.index, self.by).await?;
            ensure!(again == told, "{again:?}, not {told:?}");
            ensure!(State::of(&self.index)? == state, "given again: {order:?}");
        }
        Ok(told)
    }

    /// An upload that must be refused.
    async fn refuses(&self, version: &str, dist: &Dist, status: u16) -> anyhow::Result<()> {
        let before = State::of(&self.index)?;
        ensure!(self.upload(version, dist).await? == status);
        let after = State::of(&self.index)?;
        ensure!(after.rows == before.rows, "a refused upload changed rows");
        Ok(())
    }
}

fn last_serial(state: &State) -> u64 {
    let first = state.rows.split('|').next().unwrap_or_default();
    first.parse().unwrap_or(0)
}

fn yanked(mut wanted: Seen, version: &str, mark: &Value) -> Seen {
    wanted.version = json!(version);
    let part = format!("-{version}");
    for (dist, yanked) in &mut wanted.files {
        if dist.filename.contains(&part) {
            *yanked = mark.clone();
        }
    }
    wanted
}

fn marked(mut wanted: Seen, status: &Value) -> Seen {
    wanted.status = status.clone();
    wanted
}

async fn life(by: By) -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let index = crate::crash::index(&sink, None)?;
    let life = Life { index, sink, by };
    let opts = Opts::default();
    let (one, source) = (wheel(NAME, "1.0", &opts), sdist(NAME, "1.0", &opts));
    let two = wheel(NAME, "2.0", &opts);
    for (version, dist) in [("1.0", &one), ("1.0", &source), ("2.0", &two)] {
        ensure!(life.upload(version, dist).await? == 200);
    }
    life.index.settle()?;
    yanks(&life, &[&one, &source, &two]).await?;
    statuses(&life, &[&one, &source, &two]).await?;
    removals(&life, [&one, &source, &two]).await
}

async fn yanks(life: &Life, all: &[&Dist]) -> anyhow::Result<()> {
    let action = "yank release";
    let wanted = yanked(seen("yank", action, all), "1.0", &json!(true));
    // The project and its version in other spellings.
    let order = yank("MANAGED", "1.0.0", None);
    life.changes(&order, &wanted).await?;
    let reason = "broken on 3.9";
    let wanted = yanked(seen("yank", action, all), "1.0", &json!(reason));
    life.changes(&yank(PROJECT, "1.0", Some(reason)), &wanted)
        .await?;
    let wanted = yanked(seen("unyank", "unyank release", all), "1.0", &json!(false));
    life.changes(&unyank(PROJECT, "1.0"), &wanted).await?;
    Ok(())
}

async fn statuses(life: &Life, all: &[&Dist]) -> anyhow::Result<()> {
    let set = |to: &str, reason: Option<&str>| status(PROJECT, to, reason);
    let plain = |status: &str| json!({"status": status});
    let new = wheel(NAME, "3.0", &Opts::default());
    let files: Vec<Dist> = all.iter().map(|&it| it.clone()).collect();

    let why = json!({"status": "archived", "reason": "no more"});
    let wanted = marked(seen("status", "project archived", all), &why);
    life.changes(&set("archived", Some("no more")), &wanted)
        .await?;
    life.refuses("3.0", &new, 403).await?;
    let wanted = seen("status", "project unarchived", all);
    let before = life.changes(&set("active", None), &wanted).await?;

    let mut hidden = marked(
        seen("status", "project quarantined", &[]),
        &plain("quarantined"),
    );
    (hidden.removed, hidden.listed) = (files.clone(), false);
    life.changes(&set("quarantined", None), &hidden).await?;
    life.refuses("3.0", &new, 403).await?;
    for dist in all {
        let path = life.index.database().query(&format!(
            "select encode(blake2b_256, 'hex') from files where filename = '{}'",
            dist.filename
        ))?;
        let (a, b, rest) = (&path[..2], &path[2..4], &path[4..]);
        let at = format!("/packages/{a}/{b}/{rest}/{}", dist.filename);
        // Who knows the address can still fetch it: nothing leads there any more.
        ensure!(get(&life.index, &at, &[]).await?.status == 200);
    }
    let mut back = seen("status", "project quarantine cleared", all);
    back.added = files;
    let after = life.changes(&set("active", None), &back).await?;
    let content = |serial| format!("/changelog/{serial}/content");
    let (was, is) = (content(before.serial), content(after.serial));
    ensure!(
        get(&life.index, &was, &[]).await?.body == get(&life.index, &is, &[]).await?.body,
        "everything comes back"
    );

    let wanted = marked(
        seen("status", "project deprecated", all),
        &plain("deprecated"),
    );
    life.changes(&set("deprecated", None), &wanted).await?;
    let wanted = seen("status", "project active", all);
    life.changes(&set("active", None), &wanted).await?;
    Ok(())
}

async fn removals(life: &Life, [one, source, two]: [&Dist; 3]) -> anyhow::Result<()> {
    let removed = |action: String, kind, version: Value, gone: &[&Dist], left: &[&Dist]| {
        let mut wanted = seen(kind, &action, left);
        wanted.version = version;
        wanted.removed = gone.iter().map(|&it| it.clone()).collect();
        wanted
    };
    let file = |dist: &Dist| format!("remove file {}", dist.filename);
    let version = || json!("1.0");
    let wanted = removed(
        file(source),
        "remove-file",
        version(),
        &[source],
        &[one, two],
    );
    let order = remove_file(PROJECT, &source.filename);
    life.changes(&order, &wanted).await?;
    life.refuses("1.0", source, 400).await?;

    let action = "remove release".to_owned();
    let wanted = removed(action, "remove-release", json!("2.0"), &[two], &[one]);
    life.changes(&remove_release(PROJECT, "2.0"), &wanted)
        .await?;

    // The release stays without files, and the project is still listed.
    let wanted = removed(file(one), "remove-file", version(), &[one], &[]);
    life.changes(&remove_file(PROJECT, &one.filename), &wanted)
        .await?;
    let legacy = get(&life.index, &format!("/pypi/{PROJECT}/json"), &[]).await?;
    ensure!(legacy.json()?["releases"] == json!({"1.0": []}));

    let three = wheel(NAME, "3.0", &Opts::default());
    ensure!(life.upload("3.0", &three).await? == 200);
    life.index.settle()?;
    status(PROJECT, "archived", None)
        .give(&life.index, life.by)
        .await?;
    life.index.settle()?;
    let action = "remove project".to_owned();
    let mut wanted = removed(action, "remove-project", Value::Null, &[&three], &[]);
    wanted.listed = false;
    let gone = life.changes(&remove_project(PROJECT), &wanted).await?;
    ensure!(gone.page.is_none());

    // Its file names stay taken, its name does not, and its serials go on.
    life.refuses("3.0", &three, 400).await?;
    let four = wheel(NAME, "4.0", &Opts::default());
    ensure!(life.upload("4.0", &four).await? == 200);
    let rows = "select string_agg(serial || ' ' || kind, ', ' order by serial) \
                from changelog where serial > ";
    let rows = life
        .index
        .database()
        .query(&format!("{rows}{}", gone.serial))?;
    let n = gone.serial;
    let again = format!(
        "{} create, {} new-release, {} add-file",
        n + 1,
        n + 2,
        n + 3
    );
    ensure!(rows == again, "{rows}");
    let page = get(&life.index, &format!("/simple/{PROJECT}/"), &[]).await?;
    ensure!(page.header("x-pypi-last-serial") == (n + 3).to_string());
    life.index.settle()?;
    life.index.fsck()
}

#[tokio::test]
async fn every_order_by_http() -> anyhow::Result<()> {
    life(By::Http).await
}

#[tokio::test]
async fn every_order_by_command() -> anyhow::Result<()> {
    life(By::Command).await
}

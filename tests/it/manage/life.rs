//! The life of a project from its first upload to its removal and back, order by order.

use anyhow::{Context as _, ensure};
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;
use lockstep_tests::purge_sink::PurgeSink;
use serde_json::{Value, json};

use super::judge::{NAME, PROJECT, Seen, judge, seen};
use super::{By, Order, Told, remove_file, remove_project, remove_release, status, unyank, yank};
use crate::http::get;
use crate::refusals::state::State;

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

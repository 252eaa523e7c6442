//! Two processes of one index: whoever is asked, nobody shows an old page (promise P4), and the work
//! of one that dies is done by the other. Freshness under load, and when the database itself changes
//! behind a process's back, is in [`fresh`].

mod fresh;

use anyhow::ensure;
use lockstep_tests::checks::{self, Expected};
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::{Options, TestIndex};
use lockstep_tests::purge_sink::PurgeSink;
use lockstep_tests::reader::{Reader, VARIANTS};

const ROUNDS: usize = 100;

#[tokio::test]
async fn what_one_process_took_the_other_shows_at_once() -> anyhow::Result<()> {
    let sink = PurgeSink::start()?;
    let mut first = TestIndex::with(Options {
        settings: sink.settings("50ms"),
        ..Options::default()
    })?;
    let second = first.sibling()?;
    let reader = Reader::new()?;
    let (mut expected, mut serials, mut old) = (Expected::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let (to, from) = if round % 2 == 0 {
            (&first, &second)
        } else {
            (&second, &first)
        };
        let project = format!("shared-{}", round % 4);
        let version = format!("{round}.0");
        let dist = wheel(&project, &version, &Opts::default());
        let answer = Form::of(&project, &version, &dist).send(to).await?;
        ensure!(answer.status == 200, "{answer:?}");
        // The variant alternates too; the answer tells the HTML page's hash.
        let variant = VARIANTS[round / 2 % VARIANTS.len()];
        let page = reader
            .variant(&format!("{}/simple/{project}/", from.url()), variant)
            .await?;
        let html_is_old = variant.0 == "text/html" && Some(page.hash()) != answer.page_sha256;
        if page.serial != answer.serial || html_is_old {
            old += 1;
        }
        serials.extend(answer.serial);
        expected
            .entry(project)
            .or_default()
            .insert(dist.filename, dist.sha256);
    }
    eprintln!("{ROUNDS} uploads to one process, read from the other at once: {old} old pages");
    ensure!(old == 0, "{old} of {ROUNDS} pages were old");
    ensure!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");

    // One dies with work in hand; the other does it.
    first.kill()?;
    first.expire_leases()?;
    checks::whole(&second, &expected).await?;
    let open = "select count(*) from purges where acknowledged_at is null";
    ensure!(second.database().query(open)? == "0", "a purge is lost");
    let purged: String = sink.purges().join(" ");
    for project in expected.keys() {
        let key = format!("project-{project}");
        let calls = purged.split(' ').filter(|name| **name == key).count();
        // Many transactions may share a call, but none is done with a call before its own.
        ensure!(calls >= 2, "{project} was purged {calls} times");
    }
    Ok(())
}

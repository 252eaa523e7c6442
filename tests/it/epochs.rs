//! Serial epochs: a database restored from an older backup never gives a serial twice.

use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::Form;
use lockstep_tests::index::TestIndex;

async fn upload(index: &TestIndex, project: &str) -> anyhow::Result<u64> {
    let dist = wheel(project, "1.0", &Opts::default());
    let answer = Form::of(project, "1.0", &dist).send(index).await?;
    anyhow::ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.serial.unwrap_or(0))
}

#[tokio::test]
async fn serials_of_a_lost_database_are_given_up_and_never_given_again() -> anyhow::Result<()> {
    let mut index = TestIndex::start()?;
    assert_eq!(upload(&index, "kept").await?, 3);
    index.settle()?;
    assert!(index.stop()?);
    index.database().back_up()?;
    index.restart()?;
    assert_eq!(upload(&index, "lost").await?, 6);
    index.settle()?;
    assert!(index.stop()?);
    index.database().restore()?;

    // The restored database knows nothing of serials 4 to 6, which mirrors have been told.
    let refused = index
        .restart()
        .expect_err("serials would be given twice")
        .to_string();
    assert!(
        refused.contains("serials up to 6 have been announced"),
        "{refused}"
    );
    assert!(refused.contains("lockstep advance-serial"), "{refused}");

    // Nor does a command that writes.
    for command in [&["yank", "kept", "1.0"][..], &["purge", "kept"]] {
        let refused = index.try_lockstep(command)?;
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{text}");
        assert!(text.contains("lockstep advance-serial"), "{text}");
    }

    let said = index.lockstep(&["advance-serial"])?;
    assert!(
        said.contains("3 lost serials given up; the next one is 7"),
        "{said}"
    );
    let again = index.lockstep(&["advance-serial"])?;
    assert!(again.contains("no serial is lost"), "{again}");
    index.restart()?;
    assert_eq!(upload(&index, "new").await?, 9);
    index.settle()?;
    let rows = reqwest::get(format!("{}/changelog/?since=3", index.url()))
        .await?
        .text()
        .await?;
    let rows: serde_json::Value = serde_json::from_str(&rows)?;
    let kinds: Vec<_> = (0..6)
        .map(|n| rows["changes"][n]["kind"].as_str())
        .collect();
    let lost = Some("serial-lost");
    assert_eq!(
        kinds,
        [
            lost,
            lost,
            lost,
            Some("create"),
            Some("new-release"),
            Some("add-file")
        ]
    );
    index.fsck()
}

//! The commands themselves: what they print, what they refuse, and with which exit code.

use anyhow::ensure;

use super::refusals::{all, index};

#[tokio::test]
async fn commands_say_what_they_did() -> anyhow::Result<()> {
    let index = index().await?;
    let says = |arguments: &[&str], what: &str| -> anyhow::Result<()> {
        let said = index.lockstep(arguments)?;
        let hash = index.database().query(
            "select coalesce('page ' || encode(html_sha256, 'hex'), 'no page') from projects",
        )?;
        ensure!(said == format!("{what}, {hash}\n"), "{said}");
        Ok(())
    };
    says(&["yank", "Sample", "1.0"], "Sample 1.0 is yanked: serial 4")?;
    let again = "sample 1.0 is yanked, as it was; nothing was changed: serial 4";
    says(&["yank", "sample", "1.0"], again)?;
    let undone = "sample 1.0 is not yanked: serial 5";
    says(&["yank", "sample", "1.0", "--undo"], undone)?;
    let archived = "sample is archived: serial 6";
    says(
        &["status", "sample", "archived", "--reason", "no more"],
        archived,
    )?;
    let wheel = "sample-1.0-py3-none-any.whl";
    let removed = format!("removed {wheel}\n{wheel} is removed: serial 7");
    says(&["remove", "sample", "1.0", "--file", wheel], &removed)?;
    says(
        &["remove", "sample", "1.0"],
        "sample 1.0 is removed: serial 8",
    )?;
    says(&["remove", "sample"], "sample is removed: serial 9")?;
    let output = index.try_lockstep(&["remove", "sample"])?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        text.contains("Project `sample` was removed, at serial 9."),
        "{text}"
    );
    ensure!(output.status.code() == Some(1) && output.stdout.is_empty());
    index.settle()?;
    index.fsck()
}

#[tokio::test]
async fn commands_say_what_is_wrong_and_change_nothing() -> anyhow::Result<()> {
    let index = index().await?;
    let before = all(&index).await?;
    for (arguments, code, says) in [
        (
            &["yank", "none", "1.0"][..],
            1,
            "There is no project `none`",
        ),
        (
            &["yank", "sample", "2.0"],
            1,
            "has no release `2.0`; `/pypi/sample/json` lists",
        ),
        (&["yank", "sample", "x"], 2, "`x` is not a version"),
        (
            &["yank", "sample", "1.0", "--reason", ""],
            2,
            "a reason must not be empty",
        ),
        (
            &["yank", "sample", "1.0", "--undo", "--reason", "x"],
            2,
            "cannot be used with",
        ),
        (&["remove", "none"], 1, "There is no project `none`"),
        (&["remove", "sample", "2.0"], 1, "has no release `2.0`"),
        (
            &["remove", "sample", "--file", "sample-2.0.tar.gz"],
            1,
            "has no file",
        ),
        (
            &["remove", "sample", "--file", "x.exe"],
            2,
            "is of no accepted kind",
        ),
        (
            &[
                "remove",
                "sample",
                "2.0",
                "--file",
                "sample-1.0-py3-none-any.whl",
            ],
            1,
            "is not that of version `2.0`",
        ),
        (
            &["status", "sample", "gone"],
            2,
            "`gone` is no project status",
        ),
        (
            &["status", "none", "archived"],
            1,
            "There is no project `none`",
        ),
        (
            &["purge", "sample", "none"],
            1,
            "there never was a project `none`",
        ),
        (&["purge"], 2, "required"),
    ] {
        let output = index.try_lockstep(arguments)?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(code), "{arguments:?}: {text}");
        ensure!(
            text.contains(says) && output.stdout.is_empty(),
            "{arguments:?}: {text}"
        );
    }
    ensure!(
        all(&index).await? == before,
        "a refused order changed something"
    );
    index.fsck()
}

//! The command line, as its users meet it: help, slips of the hand, tokens, fsck, a clean end.

mod dev;
mod end;
mod fsck;

use std::fs;
use std::process::{Command, Output};

use anyhow::ensure;
use lockstep_tests::dist::{Opts, wheel};
use lockstep_tests::form::{Answer, Form};
use lockstep_tests::index::{TestIndex, binary};

fn run(arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(Command::new(binary()).args(arguments).output()?)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn upload(index: &TestIndex, version: &str, token: &str) -> anyhow::Result<Answer> {
    let dist = wheel("sample", version, &Opts::default());
    let token = token.to_owned();
    Form {
        token,
        ..Form::of("sample", version, &dist)
    }
    .send(index)
    .await
}

#[test]
fn every_command_explains_itself() -> anyhow::Result<()> {
    let mut asked = vec![vec![]];
    // Breadth first: each help names the commands below it.
    let mut next = 0;
    while let Some(command) = asked.get(next).cloned() {
        next += 1;
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let output = run(&arguments)?;
        let text = stdout(&output);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(text.contains("Usage: lockstep"), "{arguments:?}: {text}");
        let below = text.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in below.take_while(|line| line.starts_with("  ")) {
            let mut words = line.split_whitespace();
            let (Some(name), explained) = (words.next(), words.next().is_some()) else {
                continue;
            };
            // Lines of a wrapped explanation are indented further.
            if line.starts_with("   ") || name == "help" {
                continue;
            }
            assert!(explained, "{arguments:?} does not say what {name} does");
            asked.push([command.clone(), vec![name.to_owned()]].concat());
        }
    }
    for there in [
        "dev", "serve", "migrate", "token", "config", "fsck", "yank", "remove", "status", "purge",
    ] {
        assert!(
            asked.contains(&vec![there.to_owned()]),
            "no `lockstep {there}`"
        );
    }
    Ok(())
}

#[test]
fn wrong_usage_is_exit_code_2() -> anyhow::Result<()> {
    for arguments in [
        &[][..],
        &["sevre"],
        &["serve", "--prot", "80"],
        &["serve", "--only", "half"],
        &["token", "create", "--name", "x"],
        &["token", "create", "--name", "x", "--scope", "everything"],
        &[
            "token",
            "create",
            "--name",
            "x",
            "--scope",
            "upload",
            "--expires",
            "soon",
        ],
        &["dev", "--token", "no-prefix"],
        &["yank", "sample"],
        &["remove"],
        &["status", "sample"],
        &["status", "sample", "closed"],
        &["purge", "--since", "-1"],
    ] {
        let output = run(arguments)?;
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{arguments:?}"
        );
    }
    Ok(())
}

#[test]
fn settings_that_can_not_be_used_are_explained() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("lockstep.toml");
    let path = file.display().to_string();
    let least = "public_url = 'https://index.example'\nblobs = 'file:///b'\n\
                 database_url = 'postgres://lockstep:geheim@db/lockstep'\n";
    for (more, says) in [
        (
            "databse_url = 'x'\n",
            "unknown setting `databse_url`; did you mean `database_url`?",
        ),
        (
            "[announce]\nafer = 'purge'\n",
            "did you mean `announce.after`?",
        ),
        ("[announce]\nafter = 'never'\n", "never"),
        ("retention = 'long'\n", "`long` is no duration"),
        ("listen = 'here'\n", "listen"),
        (
            "[[cdn]]\nname = 'f'\nkind = 'fastly'\nservice_id = 'x'\n",
            "needs `token` or `token_file`",
        ),
        ("database_url_file = '/nowhere/secret'\n", "/nowhere/secret"),
        ("[announce\n", "TOML"),
    ] {
        fs::write(&file, format!("{least}{more}"))?;
        let output = run(&["config", "--config", &path])?;
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{more}: {text}");
        assert!(
            text.starts_with("lockstep: ") && text.contains(says),
            "{more}: {text}"
        );
        assert!(!text.contains("geheim"), "{more}: the secret is in {text}");
    }
    for command in ["config", "serve", "migrate", "fsck"] {
        let output = run(&[command, "--config", "/nowhere/lockstep.toml"])?;
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {text}");
        assert!(text.contains("/nowhere/lockstep.toml"), "{command}: {text}");
        assert!(text.contains("not found"), "{command}: {text}");
    }
    Ok(())
}

#[test]
fn config_shows_what_counts_and_hides_secrets() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, secret) = (
        folder.path().join("lockstep.toml"),
        folder.path().join("secret"),
    );
    fs::write(&secret, "geheim-token\n")?;
    let settings = format!(
        "public_url = 'https://index.example'\nblobs = 'file:///b'\n\
         database_url = 'postgres://lockstep:geheim@db/lockstep'\n\
         [[cdn]]\nname = 'f'\nkind = 'fastly'\nservice_id = 'x'\ntoken_file = '{}'\n",
        secret.display()
    );
    fs::write(&file, settings)?;
    let output = Command::new(binary())
        .args(["config", "--config"])
        .arg(&file)
        .env("LOCKSTEP__ANNOUNCE__AFTER", "purge")
        .output()?;
    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        text.contains("after = \"purge\""),
        "the environment counts: {text}"
    );
    assert!(text.contains("database_url = \"(hidden)\""), "{text}");
    assert!(
        !text.contains("geheim") && !stderr(&output).contains("geheim"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_token_lives_from_create_to_revoke() -> anyhow::Result<()> {
    let index = TestIndex::start()?;
    let create = [
        "token",
        "create",
        "--name",
        "ci",
        "--scope",
        "upload",
        "--expires",
        "90d",
    ];
    let secret = index.lockstep(&create)?;
    let secret = secret.trim();
    assert!(secret.starts_with("lsk_") && secret.len() > 40, "{secret}");

    let kept = index
        .database()
        .query("select * from tokens where name = 'ci'")?;
    assert!(
        !kept.contains(secret) && !kept.contains(&secret[4..]),
        "{kept}"
    );
    let is_hash = format!("select sha256 = sha256('{secret}') from tokens where name = 'ci'");
    assert_eq!(index.database().query(&is_hash)?, "t");
    let again = index.try_lockstep(&create)?;
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("a token named `ci` already"),
        "{}",
        stderr(&again)
    );

    assert_eq!(upload(&index, "1.0", secret).await?.status, 200);
    let list = index.lockstep(&["token", "list"])?;
    let line = list
        .lines()
        .find(|line| line.starts_with("ci\tupload\t"))
        .unwrap_or_default();
    let columns: Vec<_> = line.split('\t').collect();
    // Created, expires, not revoked, used.
    assert!(
        columns.len() == 6 && columns[3] != "-" && columns[4] == "-",
        "{list}"
    );
    assert!(columns[5] != "-" && !list.contains(secret), "{list}");

    index.lockstep(&["token", "revoke", "ci"])?;
    assert_eq!(upload(&index, "2.0", secret).await?.status, 403);
    let twice = index.try_lockstep(&["token", "revoke", "ci"])?;
    assert_eq!(twice.status.code(), Some(1));
    assert!(
        stderr(&twice).contains("see `lockstep token list`"),
        "{}",
        stderr(&twice)
    );
    index.settle()?;
    ensure!(
        !index.log().contains(&secret[4..]),
        "the secret is in the log"
    );
    Ok(())
}

//! Uploaders: twine, uv and poetry.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, ensure};
use lockstep_tests::checks::files_shown;
use lockstep_tests::dist::{Dist, Opts, sdist, wheel};
use lockstep_tests::edge::Edge;
use lockstep_tests::index::{TOKEN, client};
use lockstep_tests::reader::Reader;

use super::table::Row;
use super::{Home, Ran, run};

/// Another wheel of the same name and version.
fn other_bytes(name: &str) -> Dist {
    let summary = Some("Not the same bytes".to_owned());
    wheel(
        name,
        "1.0",
        &Opts {
            summary,
            ..Opts::default()
        },
    )
}

/// The page at the edge and the changelog show exactly these files; returns the announced serial.
async fn shows(edge: &Edge, project: &str, dists: &[&Dist]) -> anyhow::Result<u64> {
    edge.index.settle()?;
    let reader = Reader::new()?;
    let expected: BTreeMap<_, _> = dists
        .iter()
        .map(|dist| (dist.filename.clone(), dist.sha256.clone()))
        .collect();
    let shown = files_shown(&reader, &edge.pop.url(), project).await?;
    ensure!(shown == expected, "{project} shows {shown:?}");
    let rows = reader.changelog(&edge.index.url()).await?;
    let mut added = BTreeMap::new();
    for row in rows.iter().filter(|row| row["project"] == project) {
        for (name, sha256) in row["files"]["added"].as_object().context("no files")? {
            let sha256 = sha256.as_str().context("no hash")?.to_owned();
            ensure!(
                added.insert(name.clone(), sha256).is_none(),
                "{name} was added twice"
            );
        }
    }
    ensure!(
        added == expected,
        "the changelog of {project} adds {added:?}"
    );
    let state = reader.state(&edge.index.url()).await?;
    state["announced-serial"].as_u64().context("no serial")
}

#[tokio::test]
async fn twine() -> anyhow::Result<()> {
    let Some(program) = client("publish", "twine")? else {
        return Ok(());
    };
    let row = Row::begin("twine")?;
    let (edge, home) = (Edge::start()?, Home::new()?);
    let upload = |base: &str, dist: &Dist| -> anyhow::Result<Ran> {
        let (url, file) = (format!("{base}/legacy/"), home.put(dist)?);
        let flags = [
            "upload",
            "--non-interactive",
            "--disable-progress-bar",
            "--verbose",
        ];
        let target = [
            "--repository-url",
            &url,
            "-u",
            "__token__",
            "-p",
            TOKEN,
            &file,
        ];
        home.run(&program, &[&flags[..], &target[..]].concat())
    };
    let wheel_1 = wheel("Twine.Project", "1.0", &Opts::default());
    let sdist_1 = sdist("Twine.Project", "1.0", &Opts::default());
    // One straight to the origin, one through the edge, which must pass it on.
    for (base, dist) in [(edge.index.url(), &wheel_1), (edge.pop.url(), &sdist_1)] {
        let ran = upload(&base, dist)?;
        ensure!(ran.success, "{}", ran.output);
    }
    let serial = shows(&edge, "twine-project", &[&wheel_1, &sdist_1]).await?;

    let again = upload(&edge.index.url(), &wheel_1)?;
    ensure!(again.success, "the same again: {}", again.output);
    let now = shows(&edge, "twine-project", &[&wheel_1, &sdist_1]).await?;
    ensure!(now == serial, "the same upload again made serial {now}");

    let other = other_bytes("Twine.Project");
    let refused = upload(&edge.index.url(), &other)?;
    ensure!(
        !refused.success,
        "other bytes were taken: {}",
        refused.output
    );
    ensure!(
        refused.output.contains("File already exists"),
        "{}",
        refused.output
    );
    shows(&edge, "twine-project", &[&wheel_1, &sdist_1]).await?;
    row.passed(
        &home.version(&program)?,
        "wheel and sdist, by origin and edge; the same again changes nothing; other bytes refused",
    )
}

#[tokio::test]
async fn uv_publish() -> anyhow::Result<()> {
    let Some(program) = client("publish", "uv")? else {
        return Ok(());
    };
    let row = Row::begin("uv publish")?;
    let (edge, home) = (Edge::start()?, Home::new()?);
    let url = format!("{}/legacy/", edge.index.url());
    let check = format!("{}/simple/", edge.pop.url());
    let publish = |check_url: bool, dists: &[&Dist]| -> anyhow::Result<Ran> {
        let mut arguments = vec!["publish", "--no-config", "--trusted-publishing", "never"];
        arguments.extend(["--publish-url", &url, "-t", TOKEN]);
        if check_url {
            arguments.extend(["--check-url", &check]);
        }
        let files: Vec<_> = dists
            .iter()
            .map(|dist| home.put(dist))
            .collect::<Result<_, _>>()?;
        arguments.extend(files.iter().map(String::as_str));
        home.run(&program, &arguments)
    };
    let wheel_1 = wheel("uv_project", "1.0", &Opts::default());
    let sdist_1 = sdist("uv_project", "1.0", &Opts::default());
    // The edge is asked about a project that is not there; its 404 must not outlive the upload.
    let first = publish(true, &[&wheel_1, &sdist_1])?;
    ensure!(first.success, "{}", first.output);
    let serial = shows(&edge, "uv-project", &[&wheel_1, &sdist_1]).await?;

    let checked = publish(true, &[&wheel_1, &sdist_1])?;
    let said = checked.output.to_lowercase();
    ensure!(checked.success, "{}", checked.output);
    ensure!(
        said.contains("already exists") || said.contains("skipping"),
        "{}",
        checked.output
    );
    let unchecked = publish(false, &[&wheel_1])?;
    ensure!(unchecked.success, "the same again: {}", unchecked.output);
    let now = shows(&edge, "uv-project", &[&wheel_1, &sdist_1]).await?;
    ensure!(now == serial, "nothing new, but serial {now}");

    let other = other_bytes("uv_project");
    // By the page at the edge, and by the upload itself.
    for (check_url, words) in [(true, "do not match"), (false, "already exists")] {
        let refused = publish(check_url, &[&other])?;
        let said = refused.output.to_lowercase();
        ensure!(
            !refused.success && said.contains(words),
            "{}",
            refused.output
        );
        let now = shows(&edge, "uv-project", &[&wheel_1, &sdist_1]).await?;
        ensure!(now == serial, "refused, but serial {now}");
    }
    row.passed(
        &home.version(&program)?,
        "wheel and sdist; --check-url skips what is there; the same again changes nothing; \
         other bytes refused",
    )
}

#[tokio::test]
async fn poetry_publish() -> anyhow::Result<()> {
    let Some(program) = client("poetry", "poetry")? else {
        return Ok(());
    };
    let row = Row::begin("poetry publish")?;
    let (edge, home) = (Edge::start()?, Home::new()?);
    let url = format!("{}/legacy/", edge.index.url());
    let folder = home.path().join("dist");
    fs::create_dir(&folder)?;
    fs::write(
        home.path().join("pyproject.toml"),
        "[project]\nname = 'Poetry.Project'\nversion = '1.0'\n\
         [build-system]\nrequires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n",
    )?;
    // It sends what lies in `dist` for this name and version.
    let publish = |dists: &[&Dist], flags: &[&str]| -> anyhow::Result<Ran> {
        for dist in dists {
            fs::write(folder.join(&dist.filename), &dist.bytes)?;
        }
        let mut command = home.command(&program);
        command
            .env("POETRY_REPOSITORIES_OURS_URL", &url)
            .env("POETRY_PYPI_TOKEN_OURS", TOKEN)
            .env("POETRY_KEYRING_ENABLED", "false");
        command.args(["publish", "--no-interaction", "--repository", "ours"]);
        run(command.args(flags))
    };
    let wheel_1 = wheel("Poetry.Project", "1.0", &Opts::default());
    let sdist_1 = sdist("Poetry.Project", "1.0", &Opts::default());
    let first = publish(&[&wheel_1, &sdist_1], &[])?;
    ensure!(first.success, "{}", first.output);
    let serial = shows(&edge, "poetry-project", &[&wheel_1, &sdist_1]).await?;

    // The same again; other bytes; other bytes that may be skipped.
    let other = other_bytes("Poetry.Project");
    for (dist, flags, success) in [
        (&wheel_1, &[][..], true),
        (&other, &[], false),
        (&other, &["--skip-existing"], true),
    ] {
        let ran = publish(&[dist], flags)?;
        ensure!(ran.success == success, "{flags:?}: {}", ran.output);
        ensure!(
            success || ran.output.contains("File already exists"),
            "{}",
            ran.output
        );
        let now = shows(&edge, "poetry-project", &[&wheel_1, &sdist_1]).await?;
        ensure!(now == serial, "nothing new, but serial {now}");
    }
    row.passed(
        &home.version(&program)?,
        "wheel and sdist; the same again changes nothing; other bytes refused, or skipped by \
         --skip-existing",
    )
}

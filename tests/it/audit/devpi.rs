//! The real devpi: a mirror index over HTTP that asks for a page when somebody asks for it, and
//! keeps it for as long as it is told to.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lockstep_tests::index::{PATIENCE, TestIndex, client, free_address};
use serde_json::{Value, json};

use super::{audit, upload};

/// devpi's own administrator, whom every installation has.
const USER: &str = "root";

#[tokio::test]
async fn a_devpi_mirror_index_is_behind_until_it_is_refreshed() -> anyhow::Result<()> {
    let Some(program) = client("devpi", "devpi-server")? else {
        return Ok(());
    };
    let index = TestIndex::start()?;
    upload(&index, "six", "1.0").await?;
    upload(&index, "attrs", "1.0").await?;
    index.settle()?;
    let folder = tempfile::tempdir()?;
    let devpi = Devpi::start(&program, folder.path()).await?;
    let simple = devpi.mirror(&index.url()).await?;
    audit(&index.url(), &simple, &[])?.is_exact(2);

    let newest = upload(&index, "six", "1.1").await?;
    index.settle()?;
    let words = format!("announced {newest}, {} serials behind since", newest - 3);
    audit(&index.url(), &simple, &[])?.found(&[("behind six: shows serial 3 (20", &words)]);

    let refresh = format!("{simple}six/refresh");
    let answer = reqwest::Client::new().post(refresh).send().await?;
    ensure!(answer.status().is_success(), "no refresh: {answer:?}");
    audit(&index.url(), &simple, &["--kind", "devpi"])?.is_exact(2);
    Ok(())
}

/// A running devpi-server, stopped when dropped.
pub(super) struct Devpi {
    process: Child,
    url: String,
}

impl Drop for Devpi {
    fn drop(&mut self) {
        // Both fail only if it has ended already, which is what we want.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Devpi {
    pub(super) async fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        let init = Command::new(program.with_file_name("devpi-init"))
            .args(["--no-root-pypi", "--root-passwd", "", "--serverdir"])
            .arg(folder)
            .output()?;
        let said = String::from_utf8_lossy(&init.stderr);
        ensure!(init.status.success(), "devpi-init failed:\n{said}");
        let address = free_address()?;
        let process = Command::new(program)
            .arg("--serverdir")
            .arg(folder)
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let url = format!("http://{address}");
        let mut devpi = Self { process, url };
        // It imports much of Python; a busy machine needs a minute for that.
        let deadline = Instant::now() + 4 * PATIENCE;
        while reqwest::get(&devpi.url).await.is_err() {
            let ended = devpi.process.try_wait()?;
            ensure!(ended.is_none(), "devpi-server ended: {ended:?}");
            ensure!(Instant::now() < deadline, "devpi-server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(devpi)
    }

    /// Makes a mirror index of `upstream` that keeps pages for an hour; returns the address of its list.
    pub(super) async fn mirror(&self, upstream: &str) -> anyhow::Result<String> {
        let client = reqwest::Client::new();
        let login = json!({"user": USER, "password": ""});
        let login = client.post(format!("{}/+login", self.url)).json(&login);
        let answer: Value = login.send().await?.error_for_status()?.json().await?;
        let password = answer["result"]["password"].as_str().context("no login")?;
        let settings = json!({
            "type": "mirror", "volatile": true, "mirror_cache_expiry": 3600,
            "mirror_url": format!("{upstream}/simple/"),
        });
        let auth = BASE64_STANDARD.encode(format!("{USER}:{password}"));
        let create = client
            .put(format!("{}/{USER}/m", self.url))
            .header("x-devpi-auth", auth)
            .json(&settings);
        create.send().await?.error_for_status()?;
        Ok(format!("{}/{USER}/m/+simple/", self.url))
    }
}

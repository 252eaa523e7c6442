//! The real devpi: a mirror over HTTP that asks for a page when somebody asks for it, keeps it for as
//! long as it is told to, and renders its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::index::{PATIENCE, free_address};

/// devpi's own administrator, whom every installation has.
const USER: &str = "root";

/// A running devpi-server, stopped when dropped.
pub struct Devpi {
    process: Child,
    url: String,
    http: reqwest::Client,
}

impl Drop for Devpi {
    fn drop(&mut self) {
        // Both fail only if it has ended already, which is what we want.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Devpi {
    /// Starts the `devpi-server` at `program` with its data in `folder`; it answers when this returns.
    pub async fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
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
            // Its secret is made by a hash that is slow on purpose: half a minute on a loaded machine.
            .args(["--argon2-memory", "1024", "--argon2-time", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let url = format!("http://{address}");
        let http = reqwest::Client::new();
        let mut devpi = Self { process, url, http };
        let deadline = Instant::now() + PATIENCE;
        while reqwest::get(&devpi.url).await.is_err() {
            let ended = devpi.process.try_wait()?;
            ensure!(ended.is_none(), "devpi-server ended: {ended:?}");
            ensure!(Instant::now() < deadline, "devpi-server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(devpi)
    }

    /// Makes a mirror index of the index whose list is at `mirror_url`, which keeps what it has for an
    /// hour; returns the address of its list.
    pub async fn mirror(&self, mirror_url: &str) -> anyhow::Result<String> {
        let settings = json!({
            "type": "mirror", "volatile": true,
            "mirror_cache_expiry": 3600, "mirror_url": mirror_url,
        });
        self.configure(Method::PUT, &settings).await?;
        Ok(format!("{}/{USER}/m/+simple/", self.url))
    }

    /// Makes everything that the mirror index has as old as if the hour were over, or new again.
    pub async fn expire(&self, expired: bool) -> anyhow::Result<()> {
        let expiry = if expired { 0 } else { 3600 };
        let change = json!([format!("mirror_cache_expiry={expiry}")]);
        self.configure(Method::PATCH, &change).await
    }

    async fn configure(&self, method: Method, settings: &Value) -> anyhow::Result<()> {
        let login = json!({"user": USER, "password": ""});
        let login = self.http.post(format!("{}/+login", self.url)).json(&login);
        let answer: Value = login.send().await?.error_for_status()?.json().await?;
        let password = answer["result"]["password"].as_str().context("no login")?;
        let auth = BASE64_STANDARD.encode(format!("{USER}:{password}"));
        let request = self.http.request(method, format!("{}/{USER}/m", self.url));
        let request = request.header("x-devpi-auth", auth).json(settings);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

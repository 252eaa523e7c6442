//! An index under test: the real binary, as its own process, on a database of its own.
//!
//! Invariant: an index that is dropped has nothing left over. Every purge is acknowledged, and what
//! is committed is announced, or the test that used it fails; unless it said [`Options::leftovers`].

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::database::Database;

/// The token that every test index knows, for all scopes.
pub const TOKEN: &str = "lsk_test-token-of-the-test-index";

/// How long things that take milliseconds may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How an index is set up.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// The CDN's face; the origin itself by default.
    pub public_url: Option<String>,
    /// More lines of settings (TOML), such as `[[cdn]]` tables.
    pub settings: String,
    /// Where the process dies (see `lockstep_server::fault`).
    pub fault: Option<String>,
    /// This test leaves purges open on purpose.
    pub leftovers: bool,
    /// An address reserved with [`free_address`], when a cache had to know it first.
    pub address: Option<SocketAddr>,
    /// Where blobs go, instead of a folder of its own.
    pub blobs: Option<PathBuf>,
    /// … or a URL of a bucket.
    pub blobs_url: Option<String>,
    /// More environment variables of the process.
    pub environment: Vec<(String, String)>,
    /// The URL of another cluster's database `postgres`, for a test that stops it.
    pub cluster: Option<String>,
}

/// A running index.
pub struct TestIndex {
    /// As it was set up; change it and [`TestIndex::restart`].
    pub options: Options,
    address: SocketAddr,
    database: Arc<Database>,
    folder: TempDir,
    process: Option<Child>,
    log: Arc<Mutex<String>>,
}

/// A free port on loopback. Somebody may take it before it is used; the start would say so.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl TestIndex {
    /// An index with defaults: no CDN, every commit announced at once.
    pub fn start() -> anyhow::Result<Self> {
        Self::with(Options::default())
    }

    /// An index set up as told; answers when this returns.
    pub fn with(options: Options) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = match options.address {
            Some(address) => address,
            None => free_address()?,
        };
        let database = Arc::new(match options.cluster.clone() {
            Some(cluster) => Database::create_in(cluster)?,
            None => Database::create()?,
        });
        let log = Arc::default();
        let mut index = Self {
            options,
            address,
            database,
            folder,
            process: None,
            log,
        };
        index.write_settings()?;
        index.lockstep(&["migrate"])?;
        index.database.query(&format!(
            "insert into tokens (name, sha256, scopes) \
             values ('test', sha256('{TOKEN}'), '{{upload,manage,operate,read}}')"
        ))?;
        index.launch()?;
        Ok(index)
    }

    /// Another process of the same index: same database, blobs and settings, its own address.
    pub fn sibling(&self) -> anyhow::Result<Self> {
        let mut options = self.options.clone();
        options.public_url = Some(options.public_url.unwrap_or_else(|| self.url()));
        options.blobs = Some(self.blobs());
        let mut sibling = Self {
            options,
            address: free_address()?,
            database: self.database.clone(),
            folder: tempfile::tempdir()?,
            process: None,
            log: Arc::default(),
        };
        sibling.write_settings()?;
        sibling.launch()?;
        Ok(sibling)
    }

    /// Lets the leases of a killed process run out now, as they would within minutes.
    pub fn expire_leases(&self) -> anyhow::Result<()> {
        for table in ["purges", "verifications"] {
            let now = format!("update {table} set leased_until = clock_timestamp()");
            self.database
                .query(&format!("{now} where leased_until is not null"))?;
        }
        Ok(())
    }

    /// `http://127.0.0.1:PORT`: the origin, without any cache.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The origin's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database, for looking behind the scenes.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its settings file.
    pub fn settings_file(&self) -> PathBuf {
        self.folder.path().join("lockstep.toml")
    }

    /// Where its blobs are.
    pub fn blobs(&self) -> PathBuf {
        self.options
            .blobs
            .clone()
            .unwrap_or_else(|| self.folder.path().join("blobs"))
    }

    /// What the process has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().map(|log| log.clone()).unwrap_or_default()
    }

    /// The running process.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Ends the process as a power cut does.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }

    /// Waits until the process has died by itself, as at a fault point.
    pub fn wait_for_death(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let process = self.process.as_mut().context("it is not running")?;
        while process.try_wait()?.is_none() {
            ensure!(
                Instant::now() < deadline,
                "the process did not die at its fault point"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        self.process = None;
        Ok(())
    }

    /// Ends the process as an operator does (SIGTERM), and returns whether it said success.
    pub fn stop(&mut self) -> anyhow::Result<bool> {
        let Some(mut process) = self.process.take() else {
            return Ok(true);
        };
        let id = process.id().to_string();
        ensure!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()?
                .success(),
            "kill failed"
        );
        Ok(process.wait()?.success())
    }

    /// Starts the process (again), with the options as they are now.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill()?;
        self.write_settings()?;
        self.launch()
    }

    /// Runs a `lockstep` command on this index's settings; it must succeed.
    pub fn lockstep(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.try_lockstep(arguments)?;
        if !output.status.success() {
            bail!(
                "lockstep {arguments:?} failed:\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a `lockstep` command on this index's settings.
    pub fn try_lockstep(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .arg("--config")
            .arg(self.settings_file())
            .envs(self.options.environment.iter().cloned());
        Ok(command.output()?)
    }

    /// Gives an order below `/api/projects/`, `Value::Null` being no body; returns its last row's serial.
    pub async fn order(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<u64> {
        let url = format!("{}/api/projects/{path}", self.url());
        let mut request = reqwest::Client::new()
            .request(method, url)
            .bearer_auth(TOKEN);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        ensure!(status == 200, "{path}: {status} {body}");
        let answer: Value = serde_json::from_str(&body)?;
        answer["serial"].as_u64().context("no serial")
    }

    /// `lockstep fsck` finds nothing.
    pub fn fsck(&self) -> anyhow::Result<()> {
        self.lockstep(&["fsck"])
            .map(drop)
            .context("fsck has findings")
    }

    /// Waits until everything committed is purged and announced.
    pub fn settle(&self) -> anyhow::Result<()> {
        let open = "select (select count(*) from outbox where purged_at is null or verified_at is null) \
                    + (select s.value - w.announced from serials s, watermarks w)";
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = self.database.query(open)?;
            if left == "0" {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "{left} purges and announcements are left over; the log:\n{}",
                    self.log()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn write_settings(&self) -> anyhow::Result<()> {
        let public_url = self
            .options
            .public_url
            .clone()
            .unwrap_or_else(|| self.url());
        let settings = format!(
            "listen = '{}'\npublic_url = '{public_url}'\ndatabase_url = '{}'\n\
             blobs = '{}'\n{}\n",
            self.address,
            self.database.url(),
            self.options
                .blobs_url
                .clone()
                .unwrap_or_else(|| format!("file://{}", self.blobs().display())),
            self.options.settings,
        );
        Ok(fs::write(self.settings_file(), settings)?)
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(binary());
        command
            .arg("serve")
            .arg("--config")
            .arg(self.settings_file())
            .envs(self.options.environment.iter().cloned());
        command
            .env_remove("LOCKSTEP_FAULT")
            .stderr(Stdio::piped())
            .stdin(Stdio::null());
        if let Some(fault) = &self.options.fault {
            command.env("LOCKSTEP_FAULT", fault);
        }
        let mut process = command.spawn().context("could not run lockstep")?;
        let stderr = process.stderr.take().context("no stderr")?;
        let log = self.log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Ok(mut log) = log.lock() {
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
        self.process = Some(process);
        self.wait_until_it_listens()
    }

    fn wait_until_it_listens(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(self.address).is_err() {
            if let Some(process) = &mut self.process
                && let Some(status) = process.try_wait()?
            {
                // A moment for the last lines of its log.
                std::thread::sleep(Duration::from_millis(100));
                bail!("lockstep serve ended with {status}:\n{}", self.log());
            }
            ensure!(
                Instant::now() < deadline,
                "lockstep serve does not listen:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for TestIndex {
    fn drop(&mut self) {
        // A failed test tells its own story; its log helps.
        if std::thread::panicking() {
            eprintln!("--- the index's log ---\n{}", self.log());
        } else if !self.options.leftovers && self.process.is_some() {
            self.settle()
                .expect("an index under test leaves nothing over");
        }
        let _ = self.kill();
    }
}

/// The binary that `cargo build` made, beside the tests' own.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let debug = test
        .ancestors()
        .find(|folder| folder.join("lockstep").is_file());
    debug.map_or_else(
        || PathBuf::from("lockstep"),
        |folder| folder.join("lockstep"),
    )
}

/// A program of the clients that `tests/clients/setup` installed. `None`, with a visible line, when
/// it can't be had on this machine; an error where the clients are required.
#[expect(
    clippy::disallowed_methods,
    reason = "tests/run tells whether clients may be absent"
)]
pub fn client(environment: &str, program: &str) -> anyhow::Result<Option<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients");
    let path = root.join(environment).join("bin").join(program);
    if path.exists() {
        return Ok(Some(path));
    }
    ensure!(
        std::env::var("LOCKSTEP_REQUIRE_CLIENTS").as_deref() != Ok("1"),
        "{program} of {environment} is required; run tests/clients/setup and see what it says"
    );
    eprintln!("SKIP: no {program} of {environment} on this machine");
    Ok(None)
}

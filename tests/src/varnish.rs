//! A point of presence for tests: a real Varnish on loopback with the rules that we ship.
//!
//! Not here: what is tested with it, and other rules than `deploy/varnish/lockstep.vcl`, unless a test
//! says so. Only the backend's address differs from the sample. A [`Pop`] is its own process in its own folder;
//! both are gone when it is dropped.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

/// Compiling the rules takes a second or two; a loaded machine may need much longer.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Somebody else may take the free port between our look and Varnish's bind.
const ATTEMPTS: usize = 3;

/// What a test changes about the shipped rules: this text to that one.
pub type Changes<'a> = &'a [(&'a str, &'a str)];

/// A running Varnish.
pub struct Pop {
    name: String,
    address: SocketAddr,
    process: Process,
    // After the process, so that the folder outlives it.
    folder: TempDir,
}

/// `varnishd`, stopped when dropped. Its worker process ends with it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already, which is what we want.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Pop {
    /// Starts a Varnish that fetches from `backend` (an origin, or another [`Pop`] as its shield)
    /// and waits until it answers. `name` is for messages.
    pub fn start(name: &str, backend: SocketAddr) -> anyhow::Result<Self> {
        Self::start_with(name, backend, &[])
    }

    /// The same with other rules: each text of the shipped ones replaced by another, for a test that
    /// shows what a rule is for.
    pub fn start_with(name: &str, backend: SocketAddr, changes: Changes) -> anyhow::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::try_start(name, backend, changes) {
                Err(error) if attempt < ATTEMPTS && error.to_string().contains("in use") => {
                    attempt += 1;
                }
                result => return result.with_context(|| format!("Varnish `{name}` did not start")),
            }
        }
    }

    /// Where clients, probes and purges go: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same as an address, for a second tier's backend.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name it was started with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What varnishd has printed so far.
    pub fn output(&self) -> String {
        output(self.folder.path())
    }

    fn try_start(name: &str, backend: SocketAddr, changes: Changes) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("lockstep-varnish-")
            .tempdir()?;
        write_rules(folder.path(), backend, changes)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let process = Process(spawn(folder.path(), address)?);
        let mut pop = Self {
            name: name.to_owned(),
            address,
            process,
            folder,
        };
        pop.wait_until_ready()?;
        Ok(pop)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let give_up = Instant::now() + START_TIMEOUT;
        while !answers(self.address) {
            if let Some(status) = self.process.0.try_wait()? {
                bail!(
                    "varnishd ended with {status}, having printed:\n{}",
                    self.output()
                );
            }
            ensure!(
                Instant::now() < give_up,
                "varnishd does not answer, having printed:\n{}",
                self.output()
            );
            thread::sleep(Duration::from_millis(25));
        }
        Ok(())
    }
}

/// The shipped rules and the shipped sample of a site, with this backend's address.
fn write_rules(folder: &Path, backend: SocketAddr, changes: Changes) -> anyhow::Result<()> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/varnish");
    let mut rules = fs::read_to_string(shipped.join("lockstep.vcl"))
        .with_context(|| format!("the rules are not in {}", shipped.display()))?;
    for (from, to) in changes {
        ensure!(rules.contains(from), "the rules have no `{from}` any more");
        rules = rules.replace(from, to);
    }
    fs::write(folder.join("lockstep.vcl"), rules)?;
    let sample = fs::read_to_string(shipped.join("backend.vcl"))?;
    let host = format!(".host = \"{}\";", backend.ip());
    let port = format!(".port = \"{}\";", backend.port());
    let site = sample
        .replace(".host = \"127.0.0.1\";", &host)
        .replace(".port = \"8080\";", &port);
    ensure!(
        site.contains(&host) && site.contains(&port),
        "the sample backend.vcl has changed"
    );
    fs::write(folder.join("backend.vcl"), site)?;
    Ok(())
}

fn spawn(folder: &Path, address: SocketAddr) -> anyhow::Result<Child> {
    let output = File::create(folder.join("output"))?;
    Command::new("varnishd")
        .arg("-F")
        .arg("-f")
        .arg(folder.join("lockstep.vcl"))
        .arg("-n")
        .arg(folder.join("work"))
        .args(["-a", &address.to_string()])
        .args(["-T", "none", "-s", "malloc,64m", "-j", "none"])
        .args(["-p", "http_gzip_support=off"])
        // A test has several of these on few cores.
        .args(["-p", "thread_pools=1", "-p", "thread_pool_min=20"])
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("can't run varnishd; on Debian: apt-get install varnish varnish-modules")
}

/// Whether the cache itself answers, whatever its backend does: the question an edge asks its shield.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(
            b"GET /healthz HTTP/1.1\r\nHost: pop\r\nLockstep-Tier: probe\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// What varnishd printed, with the remedy for the usual cause.
fn output(folder: &Path) -> String {
    let printed = fs::read(folder.join("output")).unwrap_or_default();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    if printed.contains("vmod") || printed.contains("VMOD") {
        format!("{printed}\nOn Debian: apt-get install varnish varnish-modules")
    } else {
        printed
    }
}

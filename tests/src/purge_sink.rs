//! A purge API that a test tells what to say: quick, and down on request.
//!
//! Not here: a cache. Whether a purge removes a page is tested with a real Varnish.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Context as _;

/// A server that answers every request with one status, and remembers the keys it was told.
///
/// Its threads end with the test's process.
pub struct PurgeSink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    status: AtomicU16,
    purges: Mutex<Vec<String>>,
}

impl PurgeSink {
    /// One that says 200.
    pub fn start() -> anyhow::Result<Self> {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// The same at an address that was known before, as when a cache comes back.
    pub fn at(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).context("the purge sink's address is taken")?;
        let shared = Arc::new(Shared {
            status: AtomicU16::new(200),
            purges: Mutex::default(),
        });
        let address = listener.local_addr()?;
        let accepting = shared.clone();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = accepting.clone();
                // A connection that breaks is the other side's affair.
                thread::spawn(move || drop(answer(&connection, &shared)));
            }
        });
        Ok(Self { address, shared })
    }

    /// From now on it says this. Other than 200 it says it in HTML, as a broken cache does.
    pub fn say(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// The keys of every purge so far, oldest first, whatever it was answered.
    pub fn purges(&self) -> Vec<String> {
        self.shared
            .purges
            .lock()
            .map(|purges| purges.clone())
            .unwrap_or_default()
    }

    /// Settings that make it the CDN `sink`.
    pub fn settings(&self, second_pass_after: &str) -> String {
        settings("sink", self.address, second_pass_after)
    }
}

/// Settings for a Varnish, or what speaks like one, at an address.
pub fn settings(name: &str, address: SocketAddr, second_pass_after: &str) -> String {
    format!(
        "[[cdn]]\nname = '{name}'\nkind = 'varnish'\nurl = 'http://{address}'\n\
         second_pass_after = '{second_pass_after}'\n"
    )
}

/// Requests without a body, one after the other.
fn answer(connection: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    for line in BufReader::new(connection).lines() {
        let line = line?;
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("xkey-purge")
            && let Ok(mut purges) = shared.purges.lock()
        {
            purges.push(value.to_owned());
        }
        if line.is_empty() {
            let status = shared.status.load(Ordering::SeqCst);
            let body = if status == 200 {
                ""
            } else {
                "<html>Guru Meditation</html>"
            };
            let head = format!(
                "HTTP/1.1 {status} Said\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let mut stream = connection;
            stream.write_all((head + body).as_bytes())?;
        }
    }
    Ok(())
}

//! One process: HTTP and the loops, from start to clean shutdown.
//!
//! Shutdown: stop accepting, finish the requests that are running, finish the purge call that is
//! out, give the leases back. Whatever is cut short all the same is repeated by the next start, which
//! does nothing that is not done every day.

mod connection;
mod line;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::publish::{announce, purge, verify};
use crate::{http, retention, wake};
pub(crate) use connection::Peer;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Only answers requests.
    Http,
    /// Only purges and announces.
    Loops,
}

/// How long requests and calls that are running may take to end.
const GRACE: Duration = Duration::from_secs(20);

/// Runs until SIGTERM or SIGINT. `listener` is where requests come in; without one only the loops run.
pub async fn run(
    app: App,
    listener: Option<TcpListener>,
    only: Option<Part>,
    mut signals: Signals,
) -> anyhow::Result<()> {
    let shutdown = app.shutdown.clone();
    let tasks = TaskTracker::new();
    tasks.spawn(wake::relay(app.clone(), shutdown.clone()));
    if only != Some(Part::Http) {
        let app = app.for_loops()?;
        for cdn in app.cdns.iter() {
            tasks.spawn(purge::run(app.clone(), cdn.clone(), shutdown.clone()));
        }
        for probe in app.probes.iter() {
            tasks.spawn(verify::run(app.clone(), probe.clone(), shutdown.clone()));
        }
        for probe in app.edge_checks.iter() {
            tasks.spawn(verify::sample::run(
                app.clone(),
                probe.clone(),
                shutdown.clone(),
            ));
        }
        tasks.spawn(retention::run(app.clone(), shutdown.clone()));
        tasks.spawn(announce::run(app.clone(), shutdown.clone()));
    }
    if let Some(listener) = listener {
        // Told to whoever started us with port 0.
        tracing::info!(address = %listener.local_addr()?, "listening");
        let router = http::router(app.clone());
        let limits = app.settings.limits.clone();
        tasks.spawn(connection::accept_all(
            listener,
            router,
            limits,
            shutdown.clone(),
        ));
    }
    tasks.close();
    tokio::select! {
        () = signals.wait() => {}
        // A loop found that going on would make something untrue.
        () = shutdown.cancelled() => {}
    }
    tracing::info!("shutting down: no new requests, finishing those that are running");
    shutdown.cancel();
    if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!("some requests or calls did not end in time and are cut short");
    }
    tracing::info!("stopped");
    match app.doom.get() {
        Some(reason) => anyhow::bail!("{reason}"),
        None => Ok(()),
    }
}

/// Takes the port.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("can't listen on {address}; is something else running there? Set `listen`")
    })
}

/// The signals that end a process cleanly. Installed first of all: what comes while the process is
/// still starting ends it as cleanly as what comes later.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on SIGTERM and SIGINT wait to be asked for.
    pub fn install() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

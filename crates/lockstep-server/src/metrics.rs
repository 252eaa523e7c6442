//! `/metrics`: how far each stage has come, what is before it, and what was counted.
//!
//! The watermarks are read from the database at each scrape, so every process tells the same; the
//! counters are this process's own.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use lockstep_store::{StoreError, outbox, watermarks};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::app::App;
use crate::error::ApiError;

/// What this process has counted.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Uploads that made something new.
    pub uploads: Counter,
    /// Keys that CDNs have acknowledged, both passes counted.
    pub purged_keys: Counter,
    /// Purge calls that failed.
    pub purge_failures: Counter,
    /// Looks that found an old page after all purges.
    pub stale_looks: Counter,
    /// Queries that confirmed, each for all readers that waited, how far the index is.
    pub read_confirmations: Counter,
    /// Queries that looked a project up, because memory did not know it.
    pub read_lookups: Counter,
    /// Readers that were answered from memory, after a confirmation.
    pub read_from_memory: Counter,
    /// Announcements that `max_wait` forced.
    pub forced_announcements: Counter,
    /// Looks that could not tell, or saw what is no page of this index, by probe.
    failed_looks: ByProbe,
    foreign_looks: ByProbe,
    /// Calls of Fastly's edge check, and changes that were left out of its sample, by probe.
    edge_checks: ByProbe,
    edge_checks_skipped: ByProbe,
}

type ByProbe = Family<[(&'static str, String); 1], Counter>;

impl Metrics {
    /// Looks of this probe that could not tell: it is down.
    pub fn failed_look(&self, probe: &str) -> Counter {
        Self::of(&self.failed_looks, probe)
    }

    /// Looks of this probe that saw what is no page of this index.
    pub fn foreign_look(&self, probe: &str) -> Counter {
        Self::of(&self.foreign_looks, probe)
    }

    /// Calls of the edge check by this probe.
    pub fn edge_check(&self, probe: &str) -> Counter {
        Self::of(&self.edge_checks, probe)
    }

    /// Changes that this probe left out of its sample.
    pub fn edge_check_skipped(&self, probe: &str) -> Counter {
        Self::of(&self.edge_checks_skipped, probe)
    }

    fn of(family: &ByProbe, probe: &str) -> Counter {
        family.get_or_create_owned(&[("probe", probe.to_owned())])
    }
}

/// `GET /metrics`
pub async fn metrics(State(app): State<App>) -> Response {
    match exposition(&app).await {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], text).into_response()
        }
        Err(error) => ApiError::from(error).into_plain_response(),
    }
}

async fn exposition(app: &App) -> Result<String, StoreError> {
    let connection = app.store.connection().await?;
    let marks = watermarks::read(&connection).await?;
    let backlog = outbox::backlog(&connection).await?;
    drop(connection);
    let mut registry = Registry::with_prefix("lockstep");
    for (name, help, value) in [
        (
            "serial_committed",
            "Last serial given out",
            marks.committed.get(),
        ),
        (
            "serial_purged",
            "Every CDN is past the purge of every row up to here",
            marks.purged.get(),
        ),
        (
            "serial_verified",
            "Every probe has seen every row up to here",
            marks.verified.get(),
        ),
        (
            "serial_announced",
            "Mirrors are told up to here",
            marks.announced.get(),
        ),
        (
            "outbox_unpurged",
            "Transactions some CDN has not acknowledged",
            backlog.unpurged,
        ),
        (
            "outbox_unverified",
            "Purged transactions some probe has not seen",
            backlog.unverified,
        ),
    ] {
        let gauge = Gauge::<i64>::default();
        gauge.set(value.cast_signed());
        registry.register(name, help, gauge);
    }
    let oldest = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
    oldest.set(backlog.oldest_seconds);
    registry.register(
        "outbox_oldest_seconds",
        "Age of the oldest transaction not verified",
        oldest,
    );
    let counted = &app.metrics;
    for (name, help, counter) in [
        (
            "uploads",
            "Uploads that made something new",
            &counted.uploads,
        ),
        (
            "purged_keys",
            "Keys that CDNs have acknowledged",
            &counted.purged_keys,
        ),
        (
            "purge_failures",
            "Purge calls that failed",
            &counted.purge_failures,
        ),
        (
            "stale_looks",
            "Looks that found an old page after all purges",
            &counted.stale_looks,
        ),
        (
            "read_confirmations",
            "Queries that confirmed for all waiting readers how far the index is",
            &counted.read_confirmations,
        ),
        (
            "read_lookups",
            "Queries that looked up one project's page",
            &counted.read_lookups,
        ),
        (
            "read_from_memory",
            "Readers told from memory, after a confirmation, which page is current",
            &counted.read_from_memory,
        ),
        (
            "forced_announcements",
            "Announcements that max_wait forced",
            &counted.forced_announcements,
        ),
    ] {
        registry.register(name, help, counter.clone());
    }
    for (name, help, family) in [
        (
            "failed_looks",
            "Looks that could not tell: the probe is down",
            &counted.failed_looks,
        ),
        (
            "foreign_looks",
            "Looks that saw what is no page of this index",
            &counted.foreign_looks,
        ),
        (
            "edge_checks",
            "Calls of Fastly's edge check",
            &counted.edge_checks,
        ),
        (
            "edge_checks_skipped",
            "Changes that an edge check left out of its sample",
            &counted.edge_checks_skipped,
        ),
    ] {
        registry.register(name, help, family.clone());
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, &registry);
    Ok(text)
}

//! Fault points: named places where a test may kill the process, as a power cut would, or make the step
//! fail or dawdle there. An error at the point *before* an effect is "failed, and did not happen", at
//! the point after it "failed, but happened".
//!
//! In release builds a point is an empty function and costs nothing. In debug builds
//! `LOCKSTEP_FAULT=commit.appended` kills the process (SIGKILL, no unwinding, no clean-up) the first
//! time it passes that point; `commit.appended:error` makes it fail there once, `:slow` stop for 2 s.
//! `fresh.confirm:skip` leaves a step out for good: a test shows with it that the step is needed.

use lockstep_store::StoreError;

use crate::error::ApiError;

/// Every point, in the order in which an upload passes them.
pub const POINTS: &[&str] = &[
    "upload.reading",
    "upload.received",
    "upload.stored",
    "commit.rows",
    "commit.rendered",
    "commit.serials",
    "commit.appended",
    "commit.committed",
    "purge.claimed",
    "purge.called",
    "purge.recorded",
    "verify.claimed",
    "verify.looked",
    "verify.recorded",
    "announce.settled",
    "announce.advanced",
];

/// The points of `lockstep advance-serial`, which no upload passes; it then passes those of a commit.
pub const RESTORE_POINTS: &[&str] = &["restore.noted", "restore.filled"];

/// What a test made happen at a point.
#[derive(Debug, thiserror::Error)]
#[error("a test's fault at {0}")]
pub struct Injected(&'static str);

impl From<Injected> for ApiError {
    fn from(fault: Injected) -> Self {
        Self::unavailable("fault", "A test made this fail.").because(fault)
    }
}

impl From<Injected> for StoreError {
    fn from(fault: Injected) -> Self {
        Self::Unavailable(Box::new(fault))
    }
}

/// Passes the point `name`; or dies, fails or dawdles there.
#[cfg(debug_assertions)]
pub(crate) fn point(name: &'static str) -> Result<(), Injected> {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    static DONE: AtomicBool = AtomicBool::new(false);
    debug_assert!(
        POINTS.contains(&name) || RESTORE_POINTS.contains(&name),
        "{name} is no fault point"
    );
    let Some((chosen, kind)) = chosen() else {
        return Ok(());
    };
    // Once: what runs afterwards is what runs every day.
    if chosen != name || DONE.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    match kind {
        "error" => return Err(Injected(name)),
        "slow" => std::thread::sleep(Duration::from_secs(2)),
        _ => {
            use rustix::process::{Signal, getpid, kill_process};
            let _ = kill_process(getpid(), Signal::KILL);
            std::thread::sleep(Duration::from_secs(60));
        }
    }
    Ok(())
}

/// Whether a test has taken this step away.
#[cfg(debug_assertions)]
pub(crate) fn left_out(step: &str) -> bool {
    chosen() == Some((step, "skip"))
}

/// Never.
#[cfg(not(debug_assertions))]
#[inline(always)]
#[expect(clippy::inline_always, reason = "must cost nothing")]
pub(crate) fn left_out(_: &str) -> bool {
    false
}

/// The point and what is to happen there, from `LOCKSTEP_FAULT`.
#[cfg(debug_assertions)]
#[expect(
    clippy::disallowed_methods,
    reason = "not a setting; does not exist in release builds"
)]
fn chosen() -> Option<(&'static str, &'static str)> {
    use std::sync::OnceLock;
    static FAULT: OnceLock<Option<String>> = OnceLock::new();
    let fault = FAULT
        .get_or_init(|| std::env::var("LOCKSTEP_FAULT").ok())
        .as_deref()?;
    Some(fault.split_once(':').unwrap_or((fault, "kill")))
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
#[expect(
    clippy::inline_always,
    clippy::unnecessary_wraps,
    reason = "must cost nothing"
)]
pub(crate) fn point(_: &'static str) -> Result<(), Injected> {
    Ok(())
}

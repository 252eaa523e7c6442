//! Fault points: named places where a test may kill the process, as a power cut would.
//!
//! In release builds a point is an empty function and costs nothing. In debug builds
//! `LOCKSTEP_FAULT=commit.appended` kills the process (SIGKILL, no unwinding, no clean-up) when it
//! passes that point.

/// Every point, in the order in which an upload passes them.
pub const POINTS: &[&str] = &[
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

/// Passes the point `name`, or dies there.
#[cfg(debug_assertions)]
#[expect(
    clippy::disallowed_methods,
    reason = "not a setting; does not exist in release builds"
)]
pub(crate) fn point(name: &'static str) {
    use std::sync::OnceLock;
    static FAULT: OnceLock<Option<String>> = OnceLock::new();
    debug_assert!(POINTS.contains(&name), "{name} is no fault point");
    let chosen = FAULT.get_or_init(|| std::env::var("LOCKSTEP_FAULT").ok());
    if chosen.as_deref() == Some(name) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
#[expect(clippy::inline_always, reason = "must cost nothing")]
pub(crate) fn point(_: &'static str) {}

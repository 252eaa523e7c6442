//! The only way out: purge calls to the CDNs, and how long to wait when one fails.
//!
//! Not here: which keys are purged, when, and how often (the server's outbox decides), and
//! anything of the database. A call either returns a [`Receipt`], and then the CDN has said that it
//! *accepted every key*, or a [`PurgeError`], and then nothing may be assumed and the same keys
//! must be sent again. Purging twice does no harm, so a caller in doubt repeats.

mod backoff;
pub mod edge_check;
mod error;
mod fastly;
mod key;
pub mod probe;
mod target;
mod varnish;

use std::time::Duration;

pub use backoff::backoff;
pub use error::{PurgeError, Retry, SettingsError};
pub use fastly::{Fastly, FastlySettings};
pub use reqwest::Client;
pub use target::{Receipt, Target, TargetName, TargetNameError};
pub use varnish::{Varnish, VarnishSettings};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a whole call may take, the answer's body included.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The HTTP client for all targets: pooled, with short timeouts, following no redirects.
///
/// One per process; clones share the pool. A redirect is an answer we did not ask for: following
/// it could carry the token to a stranger, so it is reported as a refusal instead.
pub fn client() -> Client {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("lockstep/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("these options are constants, and rustls is compiled in")
}

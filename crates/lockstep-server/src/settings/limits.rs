//! `[limits]`: what one client, and all together, may ask of a process.
//!
//! Not here: what an upload may hold; that is `[upload]`. Invariant: no limit is zero, as checked by
//! [`LimitSettings::check`]: a limit that lets nothing through is a mistake, not a wish.

use std::net::IpAddr;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::duration;
use super::rate::Rate;

/// `[limits]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct LimitSettings {
    /// Connections at a time. One more is answered 503.
    pub max_connections: usize,
    /// Path and query of a request, in bytes: 414.
    pub max_url_length: ByteSize,
    /// Header lines of a request: 431.
    pub max_headers: usize,
    /// Names and values of a request's headers together: 431.
    pub max_header_size: ByteSize,
    /// The body of a request that is no upload: 413, for XML-RPC a fault.
    pub max_body_size: ByteSize,
    /// From the first byte of a request's head to its last: 408.
    #[serde(with = "duration")]
    pub head_timeout: Duration,
    /// A connection on which nothing is asked is closed after this.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// A body of which nothing comes for this long: 408.
    #[serde(with = "duration")]
    pub body_timeout: Duration,
    /// What must come of a body each second, on average, once `body_timeout` was waited for it: 408.
    pub min_body_rate: ByteSize,
    /// A client that takes nothing of its answer for this long is cut off.
    #[serde(with = "duration")]
    pub answer_timeout: Duration,
    /// One statement of a request: 503. Loops and commands have their own time.
    #[serde(with = "duration")]
    pub query_timeout: Duration,
    /// Reads of the whole index at a time; more wait for their turn.
    pub max_bulk_reads: usize,
    /// Log-ins with unknown tokens, per address and per beginning of a token: 429.
    pub failed_logins: Rate,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            // Thousands of mirrors may wait for changes, and a waiting one costs little.
            max_connections: 4000,
            max_url_length: ByteSize::kib(8),
            max_headers: 100,
            max_header_size: ByteSize::kib(32),
            max_body_size: ByteSize::kib(64),
            head_timeout: Duration::from_secs(20),
            // Longer than CDNs keep theirs: who closes first must not be us, or a request is lost.
            idle_timeout: Duration::from_secs(90),
            body_timeout: Duration::from_secs(30),
            min_body_rate: ByteSize::kib(1),
            answer_timeout: Duration::from_secs(60),
            query_timeout: Duration::from_secs(30),
            max_bulk_reads: 8,
            failed_logins: Rate::A_MINUTE_30,
        }
    }
}

/// hyper reads no longer addresses.
const LONGEST_URL: u64 = 65_534;

impl LimitSettings {
    /// `max_body_size` as a length in memory.
    pub fn longest_body(&self) -> usize {
        usize::try_from(self.max_body_size.as_u64()).unwrap_or(usize::MAX)
    }

    /// What makes no sense, in a sentence that names the key.
    pub(super) fn check(&self) -> Result<(), String> {
        let counts = [
            ("max_connections", self.max_connections as u64),
            ("max_url_length", self.max_url_length.as_u64()),
            ("max_headers", self.max_headers as u64),
            ("max_header_size", self.max_header_size.as_u64()),
            ("max_body_size", self.max_body_size.as_u64()),
            ("min_body_rate", self.min_body_rate.as_u64()),
            ("max_bulk_reads", self.max_bulk_reads as u64),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, value)| *value == 0) {
            return Err(format!("`limits.{key}` is 0: nothing could be asked"));
        }
        let times = [
            ("head_timeout", self.head_timeout),
            ("idle_timeout", self.idle_timeout),
            ("body_timeout", self.body_timeout),
            ("answer_timeout", self.answer_timeout),
            ("query_timeout", self.query_timeout),
        ];
        // PostgreSQL counts milliseconds, and takes 0 for no limit.
        if let Some((key, _)) = times.iter().find(|(_, time)| time.as_millis() == 0) {
            return Err(format!(
                "`limits.{key}` is shorter than 1 ms: nothing could be asked"
            ));
        }
        if self.max_url_length.as_u64() > LONGEST_URL {
            return Err(format!(
                "`limits.max_url_length` is {}, but can be at most {LONGEST_URL} bytes",
                self.max_url_length
            ));
        }
        Ok(())
    }
}

/// A network, or one address, whose word on who sent a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let network = text.parse::<IpNet>().ok().or_else(one);
        network.map(Self).ok_or_else(|| {
            format!("`{text}` is no network such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7")
        })
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

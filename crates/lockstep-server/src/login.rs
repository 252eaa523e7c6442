//! Log-ins: who asks, from where, and how often they were wrong.
//!
//! Failed log-ins are counted per address and per beginning of the token, in the process's memory, which
//! is bounded and forgets. Over the limit nobody is turned away unheard: all who are over it are looked
//! up one at a time, and of them a right token goes in as ever, a wrong one gets 429. So a stranger can
//! lock out nobody, neither by a token's beginning nor from behind the same proxy, and takes at most one
//! connection to the database. Guessing is no danger: a secret has 256 random bits.
//!
//! Invariant: what decides is the look-up in the database alone; memory decides only about words.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use moka::ops::compute::Op;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::app::App;
use crate::error::ApiError;
use crate::serve::Peer;
use crate::settings::Network;
use crate::settings::rate::Rate;
use crate::token::{self, Bearer};

/// Addresses, and beginnings of tokens, that are remembered.
const REMEMBERED: u64 = 10_000;
/// The letters of a token that are its beginning, with `lsk_`.
const BEGINNING: usize = 10;

/// Who asks.
pub(crate) struct Caller {
    /// The client, or the proxy that is not trusted to say whom it asks for.
    address: IpAddr,
    /// What was sent.
    pub(crate) headers: HeaderMap,
}

impl Caller {
    /// Of a request that came over a connection.
    pub(crate) fn of(parts: &Parts, app: &App) -> Self {
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let peer = parts.extensions.get().map_or(unknown, |Peer(peer)| *peer);
        let headers = parts.headers.clone();
        let address = client_address(peer, &headers, &app.settings.trusted_proxies);
        Self { address, headers }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

/// From the right, as each proxy adds whom it heard: the first that is not trusted is the client. What
/// stands left of it is the client's own word.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut address = peer.to_canonical();
    let values = headers.get_all("x-forwarded-for");
    let mut heard: Vec<&str> = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    while is_trusted(address)
        && let Some(text) = heard.pop()
    {
        let Ok(next) = text.trim().parse::<IpAddr>() else {
            break;
        };
        address = next.to_canonical();
    }
    address
}

/// Who sent this request? 403 without a valid token, 429 without one too often.
pub(crate) async fn log_in(app: &App, caller: &Caller) -> Result<Bearer, ApiError> {
    let secret = token::shown(&caller.headers)?;
    let throttle = &app.throttle;
    let (address, beginning) = (whose(caller.address), beginning(&secret));
    let over = throttle.over(address, &beginning, Instant::now());
    let _turn = match over {
        Some(_) => throttle.one_at_a_time.acquire().await.ok(),
        None => None,
    };
    let found = {
        let connection = app.store.connection().await?;
        token::look_up(&connection, &secret).await?
    };
    if let Some(bearer) = found {
        return Ok(bearer);
    }
    throttle.failed(address, beginning, Instant::now());
    match over {
        None => Err(token::unknown()),
        Some(seconds) => {
            let message = format!(
                "Too many log-ins with unknown tokens; the next is answered in {seconds} s. A valid token \
                 is taken at any time."
            );
            let status = StatusCode::TOO_MANY_REQUESTS;
            let error = ApiError::new(status, "too-many-failed-log-ins", message);
            Err(error.retry_after(seconds))
        }
    }
}

/// Who has an IPv6 address has all of its /64.
fn whose(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

fn beginning(secret: &str) -> String {
    secret.chars().take(BEGINNING).collect()
}

/// Failed log-ins. Each key has a budget, kept as the time at which it is full again.
pub struct Throttle {
    rate: Rate,
    // Two, so that a flood of the one kind does not push out the other.
    addresses: Cache<IpAddr, Instant>,
    beginnings: Cache<String, Instant>,
    one_at_a_time: Semaphore,
}

impl Throttle {
    /// Nobody has failed yet.
    pub fn new(rate: Rate) -> Self {
        // After that the budget is full, and need not be remembered.
        let forget = rate.per();
        Self {
            rate,
            addresses: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(forget)
                .build(),
            beginnings: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(forget)
                .build(),
            one_at_a_time: Semaphore::new(1),
        }
    }

    /// Seconds to the next log-in that may fail with a plain 403, if there is none left.
    fn over(&self, address: IpAddr, beginning: &str, now: Instant) -> Option<u32> {
        let full_at = [self.addresses.get(&address), self.beginnings.get(beginning)];
        let full_at = full_at.into_iter().flatten().max()?;
        let full_in = full_at.saturating_duration_since(now);
        (self.rate.left(full_in) == 0).then(|| self.rate.next_in(full_in))
    }

    fn failed(&self, address: IpAddr, beginning: String, now: Instant) {
        let rate = self.rate;
        let owe = |full_at: Option<Instant>| {
            let full_in = full_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
            // Those beyond the limit do not make it longer.
            Op::Put(now + (full_in + rate.interval()).min(rate.per()))
        };
        self.addresses
            .entry(address)
            .and_compute_with(|entry| owe(entry.map(moka::Entry::into_value)));
        self.beginnings
            .entry(beginning)
            .and_compute_with(|entry| owe(entry.map(moka::Entry::into_value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().expect("header"));
        }
        headers
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = ["10.0.0.0/8", "2001:db8::1"]
            .map(|text| Network::try_from(text.to_owned()).expect("network"));
        for (peer, values, address) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.1.2.3", &["198.51.100.7"], "198.51.100.7"),
            // The client's own word stands on the left.
            ("10.1.2.3", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            (
                "10.1.2.3",
                &["203.0.113.9", "198.51.100.7, 10.9.9.9"],
                "198.51.100.7",
            ),
            ("2001:db8::1", &["2001:db8::2"], "2001:db8::2"),
            ("10.1.2.3", &["nobody"], "10.1.2.3"),
            ("10.1.2.3", &["203.0.113.9, unknown, 10.9.9.9"], "10.9.9.9"),
        ] {
            let peer = peer.parse().expect("address");
            let found = client_address(peer, &heard(values), &trusted);
            assert_eq!(found.to_string(), address, "{values:?}");
        }
        let peer = "10.1.2.3".parse().expect("address");
        assert_eq!(client_address(peer, &heard(&["198.51.100.7"]), &[]), peer);
    }

    #[test]
    fn failures_are_counted_and_forgiven() {
        let throttle = Throttle::new("3/min".parse().expect("rate"));
        let [here, there] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("address"));
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(throttle.over(here, "lsk_a", now), None);
            throttle.failed(here, "lsk_a".to_owned(), now);
        }
        // This address with any token, this token from any address, and nobody else.
        assert_eq!(throttle.over(here, "lsk_b", now), Some(20));
        assert_eq!(throttle.over(there, "lsk_a", now), Some(20));
        assert_eq!(throttle.over(there, "lsk_b", now), None);
        for _ in 0..100 {
            throttle.failed(here, "lsk_a".to_owned(), now);
        }
        assert_eq!(throttle.over(here, "lsk_b", now), Some(20));
        let later = now + Duration::from_secs(20);
        assert_eq!(throttle.over(here, "lsk_b", later), None);
    }

    #[test]
    fn neighbours_in_a_64_are_one() {
        let of = |text: &str| whose(text.parse().expect("address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:0:0:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}

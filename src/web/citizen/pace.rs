//! How often one place on the internet may answer one broadcast. Generous: a town hall or a
//! library is one address for many people.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request,
};

use crate::config::Network;

const WINDOW_MS: i64 = 600_000;
const FROM_ONE_PLACE: u32 = 20;
const TO_ONE_PAGE: u32 = 2_000;
/// Above this many counters the ended ones are dropped, and all where none has ended.
const MOST_COUNTERS: usize = 50_000;

/// Counters of the current windows: when each began, and how many came.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<String, (i64, u32)>>);

impl Pace {
    /// Counts one answer; false where it is one too many.
    pub(super) fn allows(&self, place: &str, code: &str, now: i64) -> bool {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() > MOST_COUNTERS {
            counters.retain(|_, (began, _)| now - *began < WINDOW_MS);
            if counters.len() > MOST_COUNTERS {
                counters.clear();
            }
        }
        let mut count = |key: String, most: u32| {
            let (began, count) = counters.entry(key).or_insert((now, 0));
            if now - *began >= WINDOW_MS {
                (*began, *count) = (now, 0);
            }
            *count = count.saturating_add(1);
            *count <= most
        };
        count(format!("{place} {code}"), FROM_ONE_PLACE) && count(code.to_owned(), TO_ONE_PAGE)
    }
}

/// The address the connection comes from; none where the server doesn't tell.
pub(super) struct Peer(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.map(|ConnectInfo(address)| address.ip())))
    }
}

/// Who is counted as one: an IPv4 address, or an IPv6 subscriber's network (/64). Behind a proxy
/// that is trusted, the last address it has not vouched for itself.
pub(super) fn place(peer: Option<IpAddr>, forwarded: Option<&str>, trusted: &[Network]) -> String {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut client = peer;
    if peer.is_some_and(is_trusted) {
        let hops = forwarded.unwrap_or_default().rsplit(',').map(|hop| hop.trim().parse().ok());
        for hop in hops {
            let Some(ip) = hop else { break };
            client = Some(ip);
            if !is_trusted(ip) {
                break;
            }
        }
    }
    match client.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        Some(IpAddr::V4(ip)) => ip.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twenty_first_of_ten_minutes_is_one_too_many() {
        let pace = Pace::default();
        for _ in 0..20 {
            assert!(pace.allows("a", "c", 0));
        }
        assert!(!pace.allows("a", "c", 1));
        assert!(pace.allows("b", "c", 1));
        assert!(pace.allows("a", "d", 1));
        assert!(pace.allows("a", "c", WINDOW_MS));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap()];
        let ip = |text: &str| Some(text.parse().unwrap());
        assert_eq!(place(ip("192.0.2.1"), Some("198.51.100.7"), &trusted), "192.0.2.1");
        let hops = Some("203.0.113.9, 198.51.100.7, 10.1.1.1");
        assert_eq!(place(ip("10.0.0.1"), hops, &trusted), "198.51.100.7");
        assert_eq!(place(ip("10.0.0.1"), Some("<script>"), &trusted), "10.0.0.1");
        assert_eq!(place(ip("2001:db8:1:2:3::4"), None, &trusted), "2001:db8:1:2");
        assert_eq!(place(ip("::ffff:192.0.2.1"), None, &trusted), "192.0.2.1");
    }
}

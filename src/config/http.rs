use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use url::Url;

use super::check::{Check, Checked, is_loopback};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    listen: String,
    public_url: String,
    trusted_proxies: Vec<String>,
    max_body_bytes: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    pub listen: SocketAddr,
    /// What links in messages start with: http or https, no query, no fragment.
    pub public_url: Url,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
}

/// A range of IP addresses in CIDR notation (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: u128,
    /// Leading bits that count, of 128; IPv4 is looked at as its IPv6-mapped form.
    bits: u32,
}

impl Network {
    /// Whether the address belongs to the range; an IPv4-mapped IPv6 address is its IPv4 one.
    #[must_use]
    pub fn contains(self, ip: IpAddr) -> bool {
        let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
        mapped(ip) & mask == self.base & mask
    }
}

fn mapped(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

impl std::str::FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ip, bits) = match text.trim().split_once('/') {
            Some((ip, bits)) => (ip, Some(bits.parse::<u32>().map_err(|_| ())?)),
            None => (text.trim(), None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| ())?;
        let width = if ip.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return Err(());
        }
        Ok(Self { base: mapped(ip), bits: 128 - width + bits })
    }
}

impl RawHttp {
    pub(super) fn is_local(&self) -> bool {
        Url::parse(&self.public_url).is_ok_and(|url| is_loopback(&url))
    }

    /// `real`: links leave this machine, to citizens.
    pub(super) fn validate(&self, check: &mut Check, real: bool) -> Checked<HttpSettings> {
        let listen = check.socket("http.listen", &self.listen);
        let public_url = self.public_url(check, real);
        let mut proxies = Ok(Vec::new());
        for text in &self.trusted_proxies {
            match (text.parse(), &mut proxies) {
                (Ok(network), Ok(list)) => list.push(network),
                (Ok(_), Err(_)) => {}
                (Err(()), _) => {
                    let what = format!("\"{text}\" is neither an address nor a network");
                    proxies = check.fail("http.trusted_proxies", what, "write 10.0.0.0/8");
                }
            }
        }
        let max_body_bytes =
            check.number("http.max_body_bytes", self.max_body_bytes, 1024..=104_857_600);
        Ok(HttpSettings {
            listen: listen?,
            public_url: public_url?,
            trusted_proxies: proxies?,
            max_body_bytes: max_body_bytes?,
        })
    }

    fn public_url(&self, check: &mut Check, real: bool) -> Checked<Url> {
        let key = "http.public_url";
        let url = check.url(key, &self.public_url, &["https", "http"])?;
        if url.query().is_some() || url.fragment().is_some() {
            return check.fail(key, "has a query or a fragment", "end it with the path");
        }
        if real && url.scheme() == "http" && !is_loopback(&url) {
            let advice = "write https://…: one-click unsubscribe (RFC 8058) needs it";
            return check.fail(key, "is not https", advice);
        }
        if real && is_loopback(&url) {
            let advice = "give the address by which citizens reach this server";
            return check.fail(key, "leads citizens to their own machine", advice);
        }
        Ok(url)
    }
}

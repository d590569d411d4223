//! What the sections check their values with. A check that fails notes a [`ConfigProblem`] and
//! answers [`Reported`], so that a section goes on to its next value.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::problem::ConfigProblem;

/// The problem is in the list already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

pub(super) type Checked<T> = Result<T, Reported>;

pub(super) struct Check {
    origins: BTreeMap<String, String>,
    problems: Vec<ConfigProblem>,
}

impl Check {
    pub(super) fn new(origins: BTreeMap<String, String>, problems: Vec<ConfigProblem>) -> Self {
        Self { origins, problems }
    }

    pub(super) fn into_problems(self) -> Vec<ConfigProblem> {
        self.problems
    }

    pub(super) fn fail<T>(
        &mut self,
        key: &str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Checked<T> {
        self.problems.push(ConfigProblem {
            key: key.to_owned(),
            origin: self.origins.get(key).cloned(),
            what: what.into(),
            advice: advice.into(),
        });
        Err(Reported)
    }

    /// A text that may not be empty; `advice` says what it is needed for.
    pub(super) fn needed(&mut self, key: &str, text: &str, advice: &str) -> Checked<String> {
        let text = text.trim();
        if text.is_empty() { self.fail(key, "is missing", advice) } else { Ok(text.to_owned()) }
    }

    pub(super) fn needed_secret(
        &mut self,
        key: &str,
        secret: &SecretString,
        shortest: usize,
    ) -> Checked<SecretString> {
        match secret.expose_secret().chars().count() {
            0 => self.fail(key, "is missing", format!("give it, {key}_file or the environment")),
            length if length < shortest => {
                self.fail(key, "is too short", format!("give it {shortest} characters or more"))
            }
            _ => Ok(secret.clone()),
        }
    }

    pub(super) fn url(&mut self, key: &str, text: &str, schemes: &[&str]) -> Checked<Url> {
        let advice = || {
            let forms: Vec<_> = schemes.iter().map(|scheme| format!("{scheme}://…")).collect();
            format!("write {}", forms.join(" or "))
        };
        match Url::parse(text.trim()) {
            Ok(url) if schemes.contains(&url.scheme()) && url.has_host() => Ok(url),
            // the text is not repeated: it may hold a password
            Ok(_) => self.fail(key, "has another scheme, or no host", advice()),
            Err(error) => self.fail(key, format!("is not an address: {error}"), advice()),
        }
    }

    pub(super) fn optional_url(&mut self, key: &str, text: &str) -> Checked<Option<Url>> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        self.url(key, text, &["https", "http"]).map(Some)
    }

    pub(super) fn socket(&mut self, key: &str, text: &str) -> Checked<SocketAddr> {
        text.trim().parse().or_else(|_| {
            let advice = "write an IP address and a port, for example 127.0.0.1:8080";
            self.fail(key, format!("\"{text}\" is not an address to listen on"), advice)
        })
    }

    pub(super) fn optional_socket(&mut self, key: &str, text: &str) -> Checked<Option<SocketAddr>> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        self.socket(key, text).map(Some)
    }

    pub(super) fn duration(
        &mut self,
        key: &str,
        text: &str,
        bounds: RangeInclusive<&str>,
    ) -> Checked<Duration> {
        let (least, most) = (*bounds.start(), *bounds.end());
        let Some(duration) = parse_duration(text) else {
            let advice = "write a number and ms, s, m, h or d, for example \"30s\"";
            return self.fail(key, format!("\"{text}\" is not a duration"), advice);
        };
        let fits = parse_duration(least).is_some_and(|least| duration >= least)
            && parse_duration(most).is_some_and(|most| duration <= most);
        if fits {
            Ok(duration)
        } else {
            self.fail(key, format!("{text} is out of range"), format!("choose {least} to {most}"))
        }
    }

    /// A number in its range, as the type the room takes.
    pub(super) fn number<T>(
        &mut self,
        key: &str,
        number: i64,
        bounds: RangeInclusive<i64>,
    ) -> Checked<T>
    where
        T: TryFrom<i64>,
    {
        let advice = format!("choose {} to {}", bounds.start(), bounds.end());
        match T::try_from(number) {
            Ok(value) if bounds.contains(&number) => Ok(value),
            _ => self.fail(key, format!("{number} is out of range"), advice),
        }
    }

    /// Messages a second; 0 is no limit.
    pub(super) fn pace(&mut self, key: &str, per_second: f64) -> Checked<Option<f64>> {
        if per_second == 0.0 {
            Ok(None)
        } else if per_second.is_finite() && (0.01..=100_000.0).contains(&per_second) {
            Ok(Some(per_second))
        } else {
            let advice = "choose 0.01 to 100000, or 0 for no limit";
            self.fail(key, format!("{per_second} is out of range"), advice)
        }
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        text: &str,
        choices: &[(&str, T)],
    ) -> Checked<T> {
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text.trim()) {
            return Ok(*value);
        }
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        self.fail(
            key,
            format!("\"{text}\" is not one of the choices"),
            format!("write {}", names.join(" or ")),
        )
    }

    pub(super) fn email_address(&mut self, key: &str, text: &str) -> Checked<String> {
        let text = text.trim();
        let fits = text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !local
                    .contains(|c: char| c.is_whitespace() || c.is_control() || "<>@".contains(c))
                && is_domain(domain)
        });
        if fits {
            Ok(text.to_owned())
        } else {
            let what = format!("\"{text}\" is not an email address");
            self.fail(key, what, "write name@domain")
        }
    }

    pub(super) fn domain(&mut self, key: &str, text: &str) -> Checked<String> {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        if is_domain(&text) {
            Ok(text)
        } else {
            let what = format!("\"{text}\" is not a domain name");
            self.fail(key, what, "write it as in DNS, for example reponses.example.org")
        }
    }
}

/// An empty text is none.
pub(super) fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn given_path(text: &str) -> Option<PathBuf> {
    given(text).map(PathBuf::from)
}

pub(super) fn given_secret(secret: &SecretString) -> Option<SecretString> {
    (!secret.expose_secret().is_empty()).then(|| secret.clone())
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // in a scheme like smtp:// an IPv4 address stays a text
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// ASCII host names of two labels or more (RFC 1123), A-labels for others.
fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// `500ms`, `30s`, `10m`, `8h`, `2d`.
fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().ok()?;
    let milliseconds = match text[digits..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

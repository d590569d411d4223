use std::{net::SocketAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::check::{Check, Checked, given, is_loopback};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmail {
    provider: String,
    smtp_url: SecretString,
    from: String,
    reply_domain: String,
    lmtp_listen: String,
    lmtp_max_connections: i64,
    pool_size: i64,
    in_flight: i64,
    per_second: f64,
    timeout: String,
}

#[derive(Debug, Clone)]
pub struct EmailSettings {
    pub provider: EmailProvider,
    pub from: Mailbox,
    /// Of `r+<token>@` and `b+<token>@`, in lower case.
    pub reply_domain: String,
    /// Where inbound mail is taken by LMTP (RFC 2033); none: nowhere.
    pub lmtp_listen: Option<SocketAddr>,
    pub lmtp_max_connections: usize,
    /// Mails a second over all; none: no limit.
    pub per_second: Option<f64>,
    /// Mails being sent at once.
    pub in_flight: usize,
}

#[derive(Debug, Clone)]
pub enum EmailProvider {
    Sandbox,
    Smtp(SmtpSettings),
}

#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Host or IP address, IPv6 without brackets.
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub credentials: Option<(String, SecretString)>,
    /// Connections held at most.
    pub pool_size: usize,
    /// For one command.
    pub timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    None,
    /// STARTTLS where the server offers it.
    Opportunistic,
    /// STARTTLS or nothing.
    Required,
    /// TLS from the first byte (RFC 8314).
    Wrapped,
}

/// A name and an address (RFC 5322).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: String,
}

impl Mailbox {
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl RawEmail {
    pub(super) fn is_sandbox(&self) -> bool {
        self.provider.trim() != "smtp"
    }

    /// Whether mails go to a server other than one on this machine.
    pub(super) fn is_remote(&self) -> bool {
        !self.is_sandbox()
            && !Url::parse(self.smtp_url.expose_secret()).is_ok_and(|url| is_loopback(&url))
    }

    pub(super) fn validate(&self, check: &mut Check, real: bool) -> Checked<EmailSettings> {
        let provider = match check.choice(
            "email.provider",
            &self.provider,
            &[("sandbox", false), ("smtp", true)],
        ) {
            Ok(true) => self.smtp(check).map(EmailProvider::Smtp),
            Ok(false) => Ok(EmailProvider::Sandbox),
            Err(reported) => Err(reported),
        };
        let from = mailbox(check, "email.from", &self.from);
        let reply_domain = check.domain("email.reply_domain", &self.reply_domain);
        if real && !self.is_sandbox() {
            self.no_examples(check);
        }
        let lmtp_listen = check.optional_socket("email.lmtp_listen", &self.lmtp_listen);
        let lmtp_max_connections =
            check.number("email.lmtp_max_connections", self.lmtp_max_connections, 1..=1000);
        let per_second = check.pace("email.per_second", self.per_second);
        let in_flight = check.number("email.in_flight", self.in_flight, 1..=2000);
        Ok(EmailSettings {
            provider: provider?,
            from: from?,
            reply_domain: reply_domain?,
            lmtp_listen: lmtp_listen?,
            lmtp_max_connections: lmtp_max_connections?,
            per_second: per_second?,
            in_flight: in_flight?,
        })
    }

    /// The defaults' example.org would bounce every answer.
    fn no_examples(&self, check: &mut Check) {
        for (key, text) in [("email.from", &self.from), ("email.reply_domain", &self.reply_domain)]
        {
            if text.trim().trim_end_matches('>').ends_with("example.org") {
                let _ = check.fail::<()>(key, "is still the example", "give your own domain");
            }
        }
    }

    fn smtp(&self, check: &mut Check) -> Checked<SmtpSettings> {
        let key = "email.smtp_url";
        let pool_size = check.number("email.pool_size", self.pool_size, 1..=200);
        let timeout = check.duration("email.timeout", &self.timeout, "1s"..="10m");
        let url = check.needed(key, self.smtp_url.expose_secret(), "give smtp://HOST:587")?;
        let url = check.url(key, &url, &["smtp", "smtps"])?;
        let tls = smtp_tls(check, &url)?;
        let user = percent_decoded(url.username());
        let credentials = match url.password() {
            _ if user.is_empty() => None,
            Some(password) => Some((user, percent_decoded(password).into())),
            None => return check.fail(key, "has a user and no password", "write USER:PASSWORD@"),
        };
        let host = url.host_str().unwrap_or_default();
        Ok(SmtpSettings {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(if tls == SmtpTls::Wrapped { 465 } else { 587 }),
            tls,
            credentials,
            pool_size: pool_size?,
            timeout: timeout?,
        })
    }
}

fn smtp_tls(check: &mut Check, url: &Url) -> Checked<SmtpTls> {
    let key = "email.smtp_url";
    if url.scheme() == "smtps" {
        return Ok(SmtpTls::Wrapped);
    }
    let mut tls = if is_loopback(url) { SmtpTls::Opportunistic } else { SmtpTls::Required };
    for (name, value) in url.query_pairs() {
        if name != "tls" {
            return check.fail(key, "has a query other than tls", "write ?tls=required");
        }
        let choices = [
            ("required", SmtpTls::Required),
            ("opportunistic", SmtpTls::Opportunistic),
            ("none", SmtpTls::None),
        ];
        tls = check.choice(key, &value, &choices)?;
    }
    if tls != SmtpTls::Required && !url.username().is_empty() && !is_loopback(url) {
        let advice = "write ?tls=required: the password could be read on the way";
        return check.fail(key, "sends a password without TLS", advice);
    }
    Ok(tls)
}

/// As `url` leaves the user and the password of an address.
fn percent_decoded(text: &str) -> String {
    let mut bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    while let Some((first, rest)) = bytes.split_first() {
        let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                decoded.push(byte);
                bytes = &rest[2..];
            }
            _ => {
                decoded.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn mailbox(check: &mut Check, key: &str, text: &str) -> Checked<Mailbox> {
    let (name, address) = match text.trim().strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
        Some((name, address)) => (given(name.trim().trim_matches('"')), address),
        None => (None, text),
    };
    if name.as_ref().is_some_and(|name| name.contains(char::is_control)) {
        return check.fail(key, "has a line break in its name", "write it on one line");
    }
    let address = check.email_address(key, address)?;
    Ok(Mailbox { name, address })
}

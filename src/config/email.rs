use std::{net::SocketAddr, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::check::{Check, Checked, given, given_path, is_loopback};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmail {
    provider: String,
    smtp_url: SecretString,
    from: String,
    reply_domain: String,
    lmtp_listen: String,
    lmtp_max_connections: i64,
    ca_file: String,
    hello: String,
    connections: i64,
    per_second: f64,
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
}

#[derive(Debug, Clone)]
pub enum EmailProvider {
    Sandbox,
    Smtp(SmtpSettings),
}

#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// `smtp://` or `smtps://`, as `portevoix_email::SmtpServer::new` reads it; its form was
    /// checked.
    pub url: SecretString,
    /// Further root certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// The name said in EHLO; none: the machine's own.
    pub hello: Option<String>,
    /// Connections held at most.
    pub connections: usize,
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
        Ok(EmailSettings {
            provider: provider?,
            from: from?,
            reply_domain: reply_domain?,
            lmtp_listen: lmtp_listen?,
            lmtp_max_connections: lmtp_max_connections?,
            per_second: per_second?,
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
        let connections = check.number("email.connections", self.connections, 1..=200);
        let hello = match given(&self.hello) {
            Some(name) => check.domain("email.hello", &name).map(Some),
            None => Ok(None),
        };
        let url = smtp_url(check, self.smtp_url.expose_secret());
        Ok(SmtpSettings {
            url: url?,
            ca_file: given_path(&self.ca_file),
            hello: hello?,
            connections: connections?,
        })
    }
}

fn smtp_url(check: &mut Check, text: &str) -> Checked<SecretString> {
    let key = "email.smtp_url";
    let text = check.needed(key, text, "give smtp://HOST:587")?;
    let url = check.url(key, &text, &["smtp", "smtps"])?;
    if !url.username().is_empty() && url.password().is_none() {
        return check.fail(key, "has a user and no password", "write USER:PASSWORD@");
    }
    for (name, value) in url.query_pairs() {
        if name != "tls" || url.scheme() == "smtps" {
            let advice = "write smtp://…?tls=required, or smtps://… alone";
            return check.fail(key, "has a query that means nothing", advice);
        }
        let choices = [("required", true), ("opportunistic", false), ("none", false)];
        let required = check.choice(key, &value, &choices)?;
        if !required && !url.username().is_empty() && !is_loopback(&url) {
            let advice = "write ?tls=required: the password could be read on the way";
            return check.fail(key, "sends a password without TLS", advice);
        }
    }
    Ok(text.into())
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

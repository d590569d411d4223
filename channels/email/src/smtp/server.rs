use std::path::Path;

use lettre::transport::smtp::{
    authentication::Credentials,
    client::{Certificate, TlsParameters},
    extension::ClientId,
};
use secrecy::{ExposeSecret, SecretString};

use super::tls::{ImplicitTls, read_certificates, unusable};
use crate::error::EmailError;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Never. A password is then sent to a loopback address only.
    None,
    /// STARTTLS where the server offers it; its certificate is checked then.
    Opportunistic,
    /// STARTTLS, or no mail.
    Required,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// The server that takes charge of our mail, from `smtp_url`.
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    pub tls: TlsMode,
    pub(super) credentials: Option<Credentials>,
    pub(super) user: Option<String>,
    /// For STARTTLS, which lettre does.
    pub(super) starttls: Option<TlsParameters>,
    /// For TLS from the first byte, which has to be there before lettre sees the socket.
    pub(super) implicit: Option<ImplicitTls>,
    pub(super) hello: ClientId,
}

impl std::fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SmtpServer({}:{}, {:?})", self.host, self.port, self.tls)
    }
}

impl SmtpServer {
    /// Reads `smtp://[user:password@]host[:port][?tls=none|opportunistic|required]` or
    /// `smtps://[user:password@]host[:port]` (user and password percent-encoded). Ports by
    /// default: 587 with a user, else 25; 465 for `smtps`. `tls` by default: `required` with a
    /// user, else `opportunistic`; a loopback host is `opportunistic` either way.
    ///
    /// `ca_file` holds further root certificates (PEM); `hello` is the name said in EHLO, the
    /// machine's own where it is empty.
    ///
    /// # Errors
    /// [`EmailError::Setting`] where the URL is not of that form, [`EmailError::Certificate`],
    /// [`EmailError::Tls`].
    pub fn new(
        url: &SecretString,
        ca_file: Option<&Path>,
        hello: Option<&str>,
    ) -> Result<Self, EmailError> {
        let parts = parse(url.expose_secret())
            .map_err(|why| EmailError::Setting { setting: "email.smtp_url", why })?;
        let (starttls, implicit) = match parts.tls {
            TlsMode::None => (None, None),
            TlsMode::Implicit => (None, Some(ImplicitTls::new(&parts.host, ca_file)?)),
            _ => (Some(starttls_parameters(&parts.host, ca_file)?), None),
        };
        let hello = match hello {
            Some(name) if !name.is_empty() => ClientId::Domain(name.to_owned()),
            _ => ClientId::default(),
        };
        let user = parts.login.as_ref().map(|(user, _)| user.clone());
        Ok(Self {
            host: parts.host,
            port: parts.port,
            tls: parts.tls,
            credentials: parts.login.map(|(user, password)| Credentials::new(user, password)),
            user,
            starttls,
            implicit,
            hello,
        })
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn starttls_parameters(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters, EmailError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca_file {
        for certificate in read_certificates(path)? {
            let certificate = Certificate::from_der(certificate.as_ref().to_vec())
                .map_err(|error| unusable(path, &error.to_string()))?;
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| EmailError::StartTls(error.to_string()))
}

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    host: String,
    port: u16,
    tls: TlsMode,
    login: Option<(String, String)>,
}

/// The texts name the form only, never the URL: it holds a password.
fn parse(url: &str) -> Result<Parts, String> {
    let (implicit, rest) = if let Some(rest) = url.strip_prefix("smtps://") {
        (true, rest)
    } else if let Some(rest) = url.strip_prefix("smtp://") {
        (false, rest)
    } else {
        return Err("must start with smtp:// or smtps://".to_owned());
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(parse_login(login)?), place),
        None => (None, rest),
    };
    let (host, port) = parse_place(place)?;
    let tls = match (implicit, query) {
        (true, "" | "tls=implicit") => TlsMode::Implicit,
        (false, "tls=none") => TlsMode::None,
        (false, "tls=opportunistic") => TlsMode::Opportunistic,
        (false, "tls=required") => TlsMode::Required,
        (false, "") if login.is_some() && !is_loopback(&host) => TlsMode::Required,
        (false, "") => TlsMode::Opportunistic,
        _ => return Err("takes ?tls=none, opportunistic or required, with smtp:// only".to_owned()),
    };
    let port = port.unwrap_or(match (implicit, &login) {
        (true, _) => 465,
        (false, Some(_)) => 587,
        (false, None) => 25,
    });
    Ok(Parts { host, port, tls, login })
}

fn parse_login(login: &str) -> Result<(String, String), String> {
    let (user, password) =
        login.split_once(':').ok_or("needs user:password before the @".to_owned())?;
    let decode = |text| {
        percent_decode(text).ok_or("has a user or password that is not percent-encoded".to_owned())
    };
    Ok((decode(user)?, decode(password)?))
}

fn parse_place(place: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("has a `[` without `]`".to_owned())?;
        (host, rest.strip_prefix(':'))
    } else {
        match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        }
    };
    if host.is_empty() || host.contains(['/', ' ', '@']) {
        return Err("has no host name".to_owned());
    }
    let port = match port {
        None => None,
        Some(port) => match port.parse() {
            Ok(0) | Err(_) => return Err("has a port that is not 1 to 65535".to_owned()),
            Ok(port) => Some(port),
        },
    };
    Ok((host.to_owned(), port))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_their_defaults() {
        let cases = [
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, TlsMode::Opportunistic),
            ("smtp://relay.mel.fr", "relay.mel.fr", 25, TlsMode::Opportunistic),
            ("smtp://u:p@relay.mel.fr", "relay.mel.fr", 587, TlsMode::Required),
            ("smtp://u:p@localhost/", "localhost", 587, TlsMode::Opportunistic),
            ("smtps://u:p@relay.mel.fr", "relay.mel.fr", 465, TlsMode::Implicit),
            ("smtp://[::1]:25?tls=none", "::1", 25, TlsMode::None),
            ("smtp://relay.mel.fr?tls=required", "relay.mel.fr", 25, TlsMode::Required),
        ];
        for (url, host, port, tls) in cases {
            let parts = parse(url).expect(url);
            assert_eq!((parts.host.as_str(), parts.port, parts.tls), (host, port, tls), "{url}");
        }
        let parts = parse("smtp://a%40b:p%3A%2F@h").expect("parses");
        assert_eq!(parts.login, Some(("a@b".to_owned(), "p:/".to_owned())));
    }

    #[test]
    fn wrong_urls_are_named_without_their_password() {
        for url in [
            "http://x",
            "smtp://",
            "smtp://u:secret@",
            "smtp://u:secret@h:0",
            "smtp://u:secret%zz@h",
            "smtps://u:secret@h?tls=none",
            "smtp://usecret@h",
        ] {
            let why = parse(url).expect_err(url);
            assert!(!why.contains("secret"), "{why}");
        }
    }
}

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::check::{Check, Checked, given, given_path, given_secret};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBus {
    url: SecretString,
    creds_file: String,
    token: SecretString,
    user: String,
    password: SecretString,
    ack_wait: String,
    replicas: i64,
}

#[derive(Debug, Clone)]
pub struct BusSettings {
    /// None: the embedded bus.
    pub nats: Option<NatsSettings>,
    /// How long a consumer may hold an event unacknowledged.
    pub ack_wait: Duration,
}

#[derive(Debug, Clone)]
pub struct NatsSettings {
    /// One or more addresses, separated by commas; may hold a user and password.
    pub url: SecretString,
    pub auth: NatsAuth,
    /// Copies of each stream: 1, 3 or 5.
    pub replicas: usize,
}

#[derive(Debug, Clone)]
pub enum NatsAuth {
    None,
    CredsFile(PathBuf),
    Token(SecretString),
    UserPassword { user: String, password: SecretString },
}

impl RawBus {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<BusSettings> {
        let nats = match given_secret(&self.url) {
            Some(url) => self.nats(check, &url).map(Some),
            None => Ok(None),
        };
        let ack_wait = check.duration("bus.ack_wait", &self.ack_wait, "5s"..="10m");
        Ok(BusSettings { nats: nats?, ack_wait: ack_wait? })
    }

    fn nats(&self, check: &mut Check, url: &SecretString) -> Checked<NatsSettings> {
        let key = "bus.url";
        let servers = url
            .expose_secret()
            .split(',')
            .map(|server| check.url(key, server, &["nats", "tls", "ws", "wss"]))
            .collect::<Vec<_>>();
        let auth = self.auth(check);
        let replicas = match self.replicas {
            1 => Ok(1),
            3 => Ok(3),
            5 => Ok(5),
            other => check.fail(
                "bus.replicas",
                format!("{other} copies can't agree"),
                "choose 1, 3 or 5",
            ),
        };
        for server in servers {
            server?;
        }
        Ok(NatsSettings { url: url.clone(), auth: auth?, replicas: replicas? })
    }

    fn auth(&self, check: &mut Check) -> Checked<NatsAuth> {
        let mut ways = Vec::new();
        if let Some(path) = given_path(&self.creds_file) {
            ways.push(NatsAuth::CredsFile(path));
        }
        if let Some(token) = given_secret(&self.token) {
            ways.push(NatsAuth::Token(token));
        }
        match (given(&self.user), given_secret(&self.password)) {
            (Some(user), Some(password)) => ways.push(NatsAuth::UserPassword { user, password }),
            (None, None) => {}
            (Some(_), None) => {
                return check.fail("bus.password", "is missing", "give it beside bus.user");
            }
            (None, Some(_)) => {
                return check.fail("bus.user", "is missing", "give it beside bus.password");
            }
        }
        match (ways.pop(), ways.is_empty()) {
            (None, _) => Ok(NatsAuth::None),
            (Some(way), true) => Ok(way),
            (Some(_), false) => check.fail(
                "bus.creds_file",
                "is not the only way to sign in",
                "keep one of creds_file, token, and user with password",
            ),
        }
    }
}

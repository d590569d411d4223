//! The daemon under test: the release build, by its command line alone.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{
    Build, CONNECTIONS,
    servers::{Nats, Server, Sink},
    world::{EVENT, World, port, wait},
};
use crate::shell::{output, run};

pub struct Gateway<'a> {
    world: &'a World,
    program: PathBuf,
    port: u16,
    server: Option<Server>,
}

impl<'a> Gateway<'a> {
    /// Settings written, database migrated, citizens imported; nothing runs yet.
    pub(super) fn prepare(
        world: &'a World,
        build: Build,
        database: &str,
        nats: &Nats,
        sink: &Sink,
    ) -> Result<Self> {
        let port = port()?;
        let settings = format!(
            r#"[identity]
contact_email = "concertation@example.org"
accessibility_statement = "https://example.org/accessibilite"
personal_data = "https://example.org/donnees"

[database]
url = "{database}"
migrate = true

[bus]
url = "{bus}"

[keys]
file = "{key}"

[http]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"

[email]
provider = "smtp"
smtp_url = "{smtp}"
from = "Métropole <participation@example.org>"
reply_domain = "reponses.example.org"
connections = {CONNECTIONS}

# `serve` takes no sandbox; nobody is written to on these, and nothing listens there
[sms]
provider = "twilio"
[sms.twilio]
account_sid = "AC00000000000000000000000000000001"
auth_token = "00000000000000000000000000000000"
from = "38123"
api_url = "http://127.0.0.1:9"
[telegram]
provider = "bot"
token = "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
api_url = "http://127.0.0.1:9"
bot_name = "bench_bot"
"#,
            bus = nats.url(),
            smtp = sink.url(),
            key = world.path("portevoix.key").display(),
        );
        fs::write(world.path("portevoix.toml"), settings).context("failed to write settings")?;
        let gateway = Self { world, program: build.program("portevoix"), port, server: None };
        output(gateway.command().arg("migrate"))?;
        let citizens = world.citizens();
        output(gateway.command().args(["subscribers", "import"]).arg(citizens))?;
        Ok(gateway)
    }

    /// Starts it and waits until it is ready.
    pub fn serve(&mut self) -> Result<()> {
        let server = Server::start(self.command().arg("serve"), &self.world.path("portevoix.log"));
        let server = self.server.insert(server?);
        let port = self.port;
        wait("the daemon to be ready", Duration::from_secs(60), || {
            server.still_there().context("the daemon ended")?;
            Ok(is_ready(port).then_some(()))
        })
    }

    pub fn publish(&self) -> Result<()> {
        run(self.command().arg("publish").arg(self.world.event()))
    }

    pub fn pid(&self) -> Result<u32> {
        Ok(self.server.as_ref().context("the daemon does not run")?.pid())
    }

    pub fn still_there(&mut self) -> Result<()> {
        match &mut self.server {
            Some(server) => server.still_there().context("the daemon ended"),
            None => Ok(()),
        }
    }

    /// Waits until the balance of the event says that all was sent, and that it balances.
    pub fn wait_until_sent(&mut self, recipients: u32) -> Result<()> {
        wait("the balance to say that all was sent", Duration::from_secs(60), || {
            self.still_there()?;
            let balance = output(self.command().args(["audit", EVENT, "--json"]))?;
            let pending = number(&balance, "pending")?;
            if pending > 0 {
                return Ok(None);
            }
            let sent = number(&balance, "sent")? + number(&balance, "delivered")?;
            let planned = number(&balance, "planned")?;
            ensure!(
                planned == recipients && sent == recipients,
                "{recipients} citizens, and the balance is {}",
                balance.trim()
            );
            Ok(Some(()))
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.world.folder);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PORTEVOIX_") {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(self.world.path("portevoix.toml"));
        command
    }
}

/// `GET /readyz` by hand: a client would cost xtask a minute of building.
fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The number behind the first `"name":` of a JSON text whose names are known to be unique enough.
fn number(json: &str, name: &str) -> Result<u32> {
    let (_, rest) = json
        .split_once(&format!("\"{name}\":"))
        .with_context(|| format!("no `{name}` in {}", json.trim()))?;
    let digits = rest.trim_start();
    let end = digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().with_context(|| format!("`{name}` is no number in {}", json.trim()))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_read_out_of_a_balance() {
        let json = r#"{"id":"x","planned":20000,"states":{"pending": 3,"sent":19997}}"#;
        assert_eq!(number(json, "planned").unwrap(), 20_000);
        assert_eq!(number(json, "pending").unwrap(), 3);
        assert_eq!(number(json, "sent").unwrap(), 19_997);
        assert!(number(json, "failed").is_err());
    }
}

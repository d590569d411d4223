//! A small town for the tests of faults: settings whose every provider is on this machine, people,
//! events, and what became of them.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Value, json};
use sqlx::{Connection, Row};

use crate::harness::{daemon::Daemon, smtp_sink::Mail, twilio, wait_for};

/// Where nothing listens: a provider that these tests don't use.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Settings with mail over SMTP. A database of `sqlite` lies in the daemon's folder; an empty bus
/// is the embedded one.
pub fn settings(smtp: &str, database: &str, bus: &str) -> String {
    with_sms(smtp, database, bus, NOWHERE)
}

/// As [`settings`], with a Twilio of the test's own.
pub fn with_sms(smtp: &str, database: &str, bus: &str, twilio_url: &str) -> String {
    let database = if database == "sqlite" { "sqlite://portevoix.db" } else { database };
    let (account, token) = (twilio::ACCOUNT, twilio::TOKEN);
    format!(
        r#"
[database]
url = "{database}"
migrate = true
[bus]
url = "{bus}"
[email]
provider = "smtp"
smtp_url = "{smtp}?tls=none"
from = "Ville <participation@ville.example.net>"
reply_domain = "reponses.ville.example.net"
[sms]
provider = "twilio"
quiet_hours = false
per_second = 0.0
timeout = "1s"
[sms.twilio]
account_sid = "{account}"
auth_token = "{token}"
from = "38123"
api_url = "{twilio_url}"
[telegram]
provider = "bot"
token = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
api_url = "{NOWHERE}"
[outbox]
base_backoff = "200ms"
max_backoff = "1s"
"#
    )
}

/// The address of the `number`th person.
pub fn person(number: usize) -> String {
    format!("personne{number}@example.net")
}

/// Registers so many people, all by email.
pub async fn people(daemon: &Daemon, count: usize) {
    let mut csv = "external_id,email,commune,consent_at,consent_source\n".to_owned();
    for number in 0..count {
        let email = person(number);
        writeln!(csv, "p{number},{email},59350,2026-01-02T10:00:00Z,mairie").unwrap();
    }
    import(daemon, &csv).await;
}

/// Imports a CSV in which every row must be good.
pub async fn import(daemon: &Daemon, csv: &str) {
    std::fs::write(daemon.folder().join("people.csv"), csv).unwrap();
    daemon.must(&["subscribers", "import", "people.csv"]).await;
}

/// A consultation that stays open for as long as these tests will run.
pub fn opened(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/mel/concertation",
        "type": "fr.lillemetropole.participation.consultation.opened",
        "data": {
            "consultation": {
                "id": format!("{id}-consultation"), "title": { "fr": "Un parc au sud" },
                "url": "https://participation.ville.example.net/parc", "closes": "2099-01-15"
            },
            "message": { "fr": { "title": "Donnez votre avis", "body": "Un **parc** est prévu." } }
        }
    })
}

/// Publishes by the command line.
pub async fn publish(daemon: &Daemon, event: &Value) {
    std::fs::write(daemon.folder().join("event.json"), event.to_string()).unwrap();
    daemon.must(&["publish", "event.json"]).await;
}

/// The balance of an event by `audit`, which must hold; none where it is not there yet.
pub async fn audit(daemon: &Daemon, id: &str) -> Option<Value> {
    let output = daemon.run(&["audit", id, "--json"]).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let Ok(balance) = serde_json::from_str::<Value>(&text) else {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("no event has the id"), "{text}{errors}\n{}", daemon.log());
        return None;
    };
    assert_eq!(output.status.code(), Some(0), "the balance does not hold: {text}");
    let states = balance["states"].as_object().unwrap().values();
    let sum: i64 = states.map(|count| count.as_i64().unwrap()).sum();
    assert_eq!(balance["planned"].as_i64(), Some(sum), "{text}");
    Some(balance)
}

/// Audits until nothing of the event is pending, and returns its balance. The event must have
/// reached `planned` people.
pub async fn completed(daemon: &Daemon, id: &str, planned: usize) -> Value {
    let balance = wait_for(&format!("{id} is completed"), async || {
        let balance = audit(daemon, id).await?;
        let done = balance["planned"] != 0 && balance["states"]["pending"] == 0;
        done.then_some(balance)
    })
    .await;
    assert_eq!(balance["planned"], planned, "{balance}");
    balance
}

/// How often each recipient was written to.
pub fn letters(mails: &[Mail]) -> BTreeMap<String, usize> {
    let mut letters = BTreeMap::new();
    for mail in mails {
        for to in &mail.to {
            *letters.entry(to.clone()).or_default() += 1;
        }
    }
    letters
}

/// Nobody of so many people was left out; how many mails were more than one for a person.
pub fn twice(mails: &[Mail], people: usize) -> usize {
    let letters = letters(mails);
    for number in 0..people {
        let person = person(number);
        assert!(letters.contains_key(&person), "{person} was left out");
    }
    assert_eq!(letters.len(), people);
    mails.len() - people
}

/// State and reason of each delivery, as `state: reason`, in order.
pub async fn reasons(daemon: &Daemon, database: &str) -> Vec<String> {
    sqlx::any::install_default_drivers();
    let url = if database == "sqlite" {
        format!("sqlite://{}", daemon.folder().join("portevoix.db").display())
    } else {
        database.to_owned()
    };
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let rows =
        sqlx::query("SELECT state, COALESCE(reason, '') AS reason FROM delivery ORDER BY id")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let text = |row: &sqlx::any::AnyRow, column| row.get::<String, _>(column);
    rows.iter().map(|row| format!("{}: {}", text(row, "state"), text(row, "reason"))).collect()
}

/// What `/readyz` answers: the status, and what it says.
pub async fn readiness(daemon: &Daemon) -> Option<(u16, Value)> {
    let address = format!("{}/readyz", daemon.url());
    let answer = crate::harness::http().get(&address).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.ok()?))
}

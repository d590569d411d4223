//! A daemon between a real NATS and a database, and what stands on the bus and in the API.

use async_nats::jetstream::Context;
use portevoix::store::Store;
use serde_json::{Value, json};

use super::{daemon::Daemon, http, nats::Nats, postgres::Postgres, wait_for, wait_until};

/// Each promise is kept on both.
#[derive(Debug, Clone, Copy)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// The same promises on each database, as tests of their own.
macro_rules! on_both_databases {
    ($($promise:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise($crate::harness::stage::Database::Sqlite).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise($crate::harness::stage::Database::Postgres).await;
            })+
        }
    };
}

pub(crate) use on_both_databases;

/// What the services of the metropolis have set up in every test.
const SETTINGS: &str = r#"
[identity]
name = "Métropole Européenne de Lille"
service = "Concertation et citoyenneté"
contact_email = "concertation@lillemetropole.example"
accessibility_statement = "https://lillemetropole.example/accessibilite"
personal_data = "https://lillemetropole.example/donnees"
[outbox]
"#;

/// Channels that a test has no part for: nothing listens there.
pub const NO_EMAIL: &str = r#"
[email]
provider = "smtp"
smtp_url = "smtp://127.0.0.1:1?tls=none"
from = "participation@lillemetropole.example"
reply_domain = "reponses.lillemetropole.example"
"#;
pub const NO_SMS: &str = r#"
[sms]
provider = "twilio"
[sms.twilio]
account_sid = "AC00000000000000000000000000000001"
auth_token = "nobody-listens-there"
from = "38123"
api_url = "http://127.0.0.1:1"
"#;
pub const NO_TELEGRAM: &str = r#"
[telegram]
provider = "bot"
token = "1:nobody-listens-there"
api_url = "http://127.0.0.1:1"
mode = "webhook"
webhook_secret = "nobody-listens-there"
"#;

const COLUMNS: &str =
    "external_id,email,phone,telegram,commune,themes,channels,consent_at,consent_source";

pub struct Stage {
    pub daemon: Daemon,
    pub nats: Nats,
    jetstream: Context,
    database: String,
    token: String,
}

impl Stage {
    /// `settings` is TOML, on top of the bus, the database and who writes.
    pub async fn start(database: Database, settings: &str, environment: &[(&str, &str)]) -> Self {
        let nats = Nats::start().await;
        let url = match database {
            Database::Sqlite => "sqlite://portevoix.db".to_owned(),
            Database::Postgres => Postgres::shared().await.database().await,
        };
        let bus = nats.url();
        let mut all = vec![
            ("PORTEVOIX_BUS__URL", bus.as_str()),
            ("PORTEVOIX_DATABASE__URL", url.as_str()),
            ("PORTEVOIX_DATABASE__MIGRATE", "true"),
        ];
        all.extend_from_slice(environment);
        let daemon = Daemon::start(&format!("{SETTINGS}{settings}"), &all).await;
        let scopes = "events:write,contributions:read,subscribers:write";
        let token = daemon.must(&["tokens", "create", "test", "--scopes", scopes]).await;
        let database = match database {
            Database::Sqlite => {
                format!("sqlite://{}", daemon.folder().join("portevoix.db").display())
            }
            Database::Postgres => url,
        };
        let jetstream = nats.jetstream().await;
        Self { daemon, nats, jetstream, database, token: token.trim().to_owned() }
    }

    /// Citizens with their consent: `external_id,email,phone,telegram,commune,themes,channels`.
    pub async fn register(&self, rows: &[&str]) {
        let mut csv = format!("{COLUMNS}\n");
        for row in rows {
            csv.push_str(&format!("{row},2026-01-05T10:00:00+01:00,formulaire\n"));
        }
        std::fs::write(self.daemon.folder().join("citizens.csv"), csv).unwrap();
        self.daemon.must(&["subscribers", "import", "citizens.csv"]).await;
    }

    /// Another service publishes a CloudEvent in structured mode.
    pub async fn publish(&self, event: &Value) {
        let kind = event["type"].as_str().unwrap_or_default();
        let name = kind.strip_prefix("fr.lillemetropole.participation.").unwrap_or("unknown");
        let headers = [("Content-Type", "application/cloudevents+json")];
        self.publish_raw(name, &headers, event.to_string().as_bytes()).await;
    }

    /// Any message on `participation.events.<name>`; returns once NATS has stored it.
    pub async fn publish_raw(&self, name: &str, headers: &[(&str, &str)], payload: &[u8]) {
        let mut map = async_nats::HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        let subject = format!("participation.events.{name}");
        let stored =
            self.jetstream.publish_with_headers(subject, map, payload.to_vec().into()).await;
        stored.unwrap().await.unwrap();
    }

    /// Everything on a stream with that subject, in order: headers and payload.
    pub async fn on_bus(&self, stream: &str, subject: &str) -> Vec<(async_nats::HeaderMap, Value)> {
        let mut stream = self.jetstream.get_stream(stream).await.unwrap();
        let last = stream.info().await.unwrap().state.last_sequence;
        let mut found = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.unwrap();
            if message.subject.as_str() == subject {
                let text = String::from_utf8_lossy(&message.payload).into_owned();
                let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
                found.push((message.headers, value));
            }
        }
        found
    }

    /// Waits for `count` events on `participation.<subject>` of the feedback stream. There must
    /// be no more, and each must be valid against its own schema.
    pub async fn told(&self, subject: &str, count: usize) -> Vec<Value> {
        let subject = format!("participation.{subject}");
        let found = wait_for(&format!("{count} events on {subject}"), async || {
            let found = self.on_bus("PARTICIPATION_FEEDBACK", &subject).await;
            (found.len() >= count).then_some(found)
        })
        .await;
        assert_eq!(found.len(), count, "{found:#?}");
        let mut events = Vec::new();
        for (_, event) in found {
            self.check(&event).await;
            events.push(event);
        }
        events
    }

    async fn check(&self, event: &Value) {
        let kind = event["type"].as_str().unwrap();
        let name = kind.strip_prefix("fr.lillemetropole.participation.").unwrap();
        let url = format!("{}/schemas/{name}.json", self.daemon.url());
        let schema: Value = http().get(url).send().await.unwrap().json().await.unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name} is not valid: {wrong:?}\n{event:#}");
    }

    /// `GET /api/v1/events/{id}`; none where it is not known yet.
    pub async fn event(&self, id: &str) -> Option<Value> {
        let url = format!("{}/api/v1/events/{id}", self.daemon.url());
        let answer = http().get(url).bearer_auth(&self.token).send().await.unwrap();
        if answer.status() == 404 {
            return None;
        }
        assert!(answer.status().is_success(), "{answer:?}");
        Some(answer.json().await.unwrap())
    }

    /// Waits until an event has so many deliveries in a state.
    pub async fn settled(&self, id: &str, state: &str, count: u64) -> Value {
        wait_for(&format!("{count} {state} of {id}"), async || {
            let event = self.event(id).await?;
            let reached = event["states"][state] == json!(count);
            (event["planned"].as_u64() > Some(0) && reached).then_some(event)
        })
        .await
    }

    /// Waits until so many replies lie before staff.
    pub async fn held(&self, count: i64) {
        let store = self.store().await;
        wait_until(&format!("{count} held replies"), async || {
            store.count_held().await.unwrap() == count
        })
        .await;
    }

    pub async fn store(&self) -> Store {
        Store::connect(&self.database, 2).await.unwrap()
    }
}

/// A consultation opens, with a question of two options. No part of the audience restricts.
pub fn opened(consultation: &str, title: &str) -> Value {
    json!({
        "specversion": "1.0", "id": format!("{consultation}-ouverture"), "source": "/mel/concertation",
        "type": "fr.lillemetropole.participation.consultation.opened",
        "time": "2026-11-23T09:00:00+01:00", "datacontenttype": "application/json",
        "data": {
            "consultation": {
                "id": consultation, "title": { "fr": title }, "closes": "2099-01-15",
                "url": format!("https://participation.lillemetropole.example/{consultation}"),
                "contact": { "service": "Espaces verts", "email": "verts@lillemetropole.example" },
            },
            "message": { "fr": {
                "title": format!("Votre avis : {title}"), "body": format!("**{title}** se prépare."),
                "sms": format!("{title} : votre avis ?"),
            } },
            "question": { "text": { "fr": "Que faut-il d’abord ?" }, "options": [
                { "key": "1", "label": { "fr": "Des arbres" } },
                { "key": "2", "label": { "fr": "Des jeux" } },
            ] },
        },
    })
}

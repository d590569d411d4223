//! NATS or PostgreSQL is away, at the start or in mid-broadcast: the daemon says so, waits, and
//! goes on; nothing is lost.

use crate::{
    harness::{
        daemon::Daemon, nats::Nats, postgres::Postgres, smtp_server::SmtpServer, wait_until,
    },
    town::{self, audit, completed, opened, people, publish, readiness, twice},
};

/// Waits until `/readyz` says 503, and that `part` is what is missing.
async fn says_away(daemon: &Daemon, part: &str) {
    wait_until(&format!("/readyz says that the {part} is away"), async || {
        readiness(daemon)
            .await
            .is_some_and(|(status, answer)| status == 503 && answer[part] == "away")
    })
    .await;
    let alive = crate::harness::http().get(format!("{}/healthz", daemon.url()));
    assert_eq!(alive.send().await.unwrap().status(), 200, "the process itself is well");
}

#[tokio::test]
async fn nats_is_away_at_the_start() {
    let server = SmtpServer::start().await;
    let mut nats = Nats::stopped();
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), "sqlite", &nats.url()), &[]);
    people(&daemon, 20).await;
    daemon.spawn();
    says_away(&daemon, "bus").await;
    nats.restart().await;
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;
    completed(&daemon, "parc", 20).await;
    assert_eq!(twice(&server.mails(), 20), 0);
}

#[tokio::test]
async fn postgres_is_away_at_the_start() {
    let server = SmtpServer::start().await;
    let mut postgres = Postgres::start().await;
    let database = postgres.database().await;
    postgres.stop();
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), &database, ""), &[]);
    daemon.spawn();
    says_away(&daemon, "database").await;
    postgres.restart().await;
    daemon.ready().await;
    people(&daemon, 20).await;
    publish(&daemon, &opened("parc")).await;
    completed(&daemon, "parc", 20).await;
    assert_eq!(twice(&server.mails(), 20), 0);
}

/// A broadcast to 200 people whose mails after the 50th stay in flight.
async fn half_way(daemon: &mut Daemon, server: &SmtpServer) {
    people(daemon, 200).await;
    daemon.spawn();
    daemon.ready().await;
    server.confirm(50);
    publish(daemon, &opened("parc")).await;
    wait_until("mails are in flight", async || server.count() == 58).await;
}

#[tokio::test]
async fn nats_goes_away_in_mid_broadcast() {
    let server = SmtpServer::start().await;
    let mut nats = Nats::start().await;
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), "sqlite", &nats.url()), &[]);
    half_way(&mut daemon, &server).await;
    nats.kill9();
    says_away(&daemon, "bus").await;
    // what was planned does not need the bus
    server.confirm(usize::MAX);
    completed(&daemon, "parc", 200).await;
    assert_eq!(twice(&server.mails(), 200), 0);

    nats.restart().await;
    daemon.ready().await;
    wait_until("the bus hears that the broadcast is completed", async || {
        let Ok(stream) = nats.jetstream().await.get_stream("PARTICIPATION_FEEDBACK").await else {
            return false;
        };
        let subject = "participation.broadcasts.completed";
        let last = stream.get_last_raw_message_by_subject(subject).await;
        last.is_ok_and(|message| {
            serde_json::from_slice::<serde_json::Value>(&message.payload)
                .is_ok_and(|told| told["data"]["event_id"] == "parc")
        })
    })
    .await;
    // and events come in again
    publish(&daemon, &opened("place")).await;
    completed(&daemon, "place", 200).await;
    assert_eq!(server.count(), 400);
}

#[tokio::test]
async fn postgres_goes_away_in_mid_broadcast() {
    let server = SmtpServer::start().await;
    let nats = Nats::start().await;
    let mut postgres = Postgres::start().await;
    let database = postgres.database().await;
    let settings = town::settings(&server.url(), &database, &nats.url());
    let mut daemon = Daemon::prepare(&settings, &[]);
    half_way(&mut daemon, &server).await;
    postgres.stop();
    says_away(&daemon, "database").await;
    // an event comes in meanwhile, and the mails in flight are confirmed to a daemon that can't
    // write it down
    let event = opened("place").to_string();
    let subject = "participation.events.consultation.opened";
    nats.jetstream().await.publish(subject, event.into()).await.unwrap().await.unwrap();
    server.confirm(usize::MAX);
    wait_until("results wait for the database", async || {
        daemon.log().contains("results wait for the database")
    })
    .await;
    postgres.restart().await;
    daemon.ready().await;
    completed(&daemon, "parc", 200).await;
    completed(&daemon, "place", 200).await;
    assert_eq!(server.count(), 400, "nobody is written to twice");
    audit(&daemon, "parc").await.expect("the event is stored");
}

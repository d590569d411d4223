//! Killed in mid-broadcast: the balance holds at every moment, nobody is left out, no more are
//! written to twice than were in flight, and sending goes on within 2 s.

use std::time::{Duration, Instant};

use crate::{
    harness::{
        daemon::Daemon, nats::Nats, postgres::Postgres, smtp_server::SmtpServer,
        smtp_sink::SmtpSink, wait_until,
    },
    town::{self, audit, completed, opened, people, publish, twice},
};

const PEOPLE: usize = 1_500;
/// `email.connections` is 8 by default, and each carries one mail while another is made.
const IN_FLIGHT: usize = 16;

/// A third has arrived, kill, start again; two thirds have arrived, kill, start again.
async fn killed_twice(database: &str, bus: &str) {
    let sink = SmtpSink::start(&[]).await;
    let mut daemon = Daemon::prepare(&town::settings(&sink.url(), database, bus), &[]);
    people(&daemon, PEOPLE).await;
    daemon.spawn();
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;

    for part in [PEOPLE / 3, PEOPLE * 2 / 3] {
        wait_until("a part has arrived", async || sink.count() >= part).await;
        daemon.kill9();
        // counted by a process of its own, while nobody sends
        let balance = audit(&daemon, "parc").await.expect("the event is stored");
        assert_eq!(balance["planned"], PEOPLE);
        let at_kill = sink.count();
        assert!(at_kill < PEOPLE, "killed too late to prove anything");
        daemon.restart().await;
        let ready = Instant::now();
        wait_until("sending goes on", async || sink.count() > at_kill).await;
        let took = ready.elapsed();
        assert!(took < Duration::from_secs(2), "sending went on only after {took:?}");
        audit(&daemon, "parc").await;
    }

    let balance = completed(&daemon, "parc", PEOPLE).await;
    assert_eq!(balance["states"]["sent"], PEOPLE, "{balance}");
    let doubled = twice(&sink.mails(), PEOPLE);
    assert!(doubled <= 2 * IN_FLIGHT, "{doubled} were written to twice");
}

#[tokio::test]
async fn kill_9_on_sqlite_and_the_embedded_bus() {
    killed_twice("sqlite", "").await;
}

#[tokio::test]
async fn kill_9_on_postgres_and_nats() {
    let database = Postgres::shared().await.database().await;
    let nats = Nats::start().await;
    killed_twice(&database, &nats.url()).await;
}

/// The worst case: the server has taken the mails in flight, and nobody was told.
async fn killed_with_everything_in_flight(database: &str) {
    let server = SmtpServer::start().await;
    server.confirm(100);
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), database, ""), &[]);
    people(&daemon, 300).await;
    daemon.spawn();
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;
    // 8 connections carry one mail each; no ninth can be taken before an answer
    wait_until("all connections wait for an answer", async || server.count() == 108).await;
    daemon.kill9();
    server.confirm(usize::MAX);
    audit(&daemon, "parc").await.expect("the event is stored");
    daemon.restart().await;

    let balance = completed(&daemon, "parc", 300).await;
    assert_eq!(balance["states"]["sent"], 300, "{balance}");
    let doubled = twice(&server.mails(), 300);
    assert!((8..=IN_FLIGHT).contains(&doubled), "{doubled} were written to twice");
}

#[tokio::test]
async fn what_was_in_flight_on_sqlite_is_all_that_comes_twice() {
    killed_with_everything_in_flight("sqlite").await;
}

#[tokio::test]
async fn what_was_in_flight_on_postgres_is_all_that_comes_twice() {
    let database = Postgres::shared().await.database().await;
    killed_with_everything_in_flight(&database).await;
}

#[tokio::test]
async fn a_gentle_stop_sends_nothing_twice() {
    let sink = SmtpSink::start(&[]).await;
    let mut daemon = Daemon::prepare(&town::settings(&sink.url(), "sqlite", ""), &[]);
    people(&daemon, PEOPLE).await;
    daemon.spawn();
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;
    wait_until("a part has arrived", async || sink.count() >= PEOPLE / 4).await;

    let status = daemon.sigterm().await;
    assert_eq!(status.code(), Some(0), "{}", daemon.log());
    let balance = audit(&daemon, "parc").await.expect("the event is stored");
    let sent = sink.count();
    assert!(sent < PEOPLE, "stopped too late to prove anything");
    assert_eq!(balance["states"]["sent"], sent, "what went out is settled: {balance}");

    daemon.restart().await;
    completed(&daemon, "parc", PEOPLE).await;
    assert_eq!(twice(&sink.mails(), PEOPLE), 0);
}

#[tokio::test]
async fn one_of_two_senders_dies_and_the_other_takes_over() {
    const PEOPLE: usize = 600;
    let server = SmtpServer::start().await;
    let nats = Nats::start().await;
    let database = Postgres::shared().await.database().await;
    let settings = town::settings(&server.url(), &database, &nats.url());
    let mut planner = Daemon::prepare(&settings, &[]);
    people(&planner, PEOPLE).await;
    let key = planner.folder().join("portevoix.key").display().to_string();
    let shared = [("PORTEVOIX_KEYS__FILE", key.as_str())];
    let (mut first, mut second) =
        (Daemon::prepare(&settings, &shared), Daemon::prepare(&settings, &shared));
    server.confirm(PEOPLE / 3);
    first.spawn_as(&["serve", "--roles", "dispatch"]);
    planner.spawn_as(&["serve", "--roles", "intake,web"]);
    planner.ready().await;
    publish(&planner, &opened("parc")).await;
    wait_until("a third has arrived", async || server.count() >= PEOPLE / 3 + 8).await;

    second.spawn_as(&["serve", "--roles", "dispatch"]);
    wait_until("the second takes what the first has not", async || {
        server.count() >= PEOPLE / 3 + 16
    })
    .await;
    first.kill9();
    audit(&planner, "parc").await.expect("the event is stored");
    server.confirm(usize::MAX);

    let balance = completed(&planner, "parc", PEOPLE).await;
    assert_eq!(balance["states"]["sent"], PEOPLE, "{balance}");
    assert!(second.log().contains("took deliveries over"), "{}", second.log());
    let doubled = twice(&server.mails(), PEOPLE);
    assert!((8..=IN_FLIGHT).contains(&doubled), "{doubled} were written to twice");
}

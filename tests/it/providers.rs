//! Providers that fail: retried, seen in the metrics, survived, and delivered in the end.

use std::fmt::Write;

use serde_json::json;

use crate::{
    harness::{
        daemon::Daemon,
        faults::Fault,
        http,
        smtp_server::{SmtpServer, Treatment},
        twilio::Twilio,
        wait_until,
    },
    town::{self, completed, import, opened, people, person, publish, reasons},
};

/// The sum of a counter's lines that have all these labels.
async fn counted(daemon: &Daemon, name: &str, labels: &[&str]) -> f64 {
    let answer = http().get(format!("{}/metrics", daemon.url())).send().await.unwrap();
    let text = answer.text().await.unwrap();
    text.lines()
        .filter(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

async fn by_phone(daemon: &Daemon, count: usize) {
    let mut csv = "phone,commune,consent_at,consent_source\n".to_owned();
    for number in 0..count {
        writeln!(csv, "06120000{number:02},59350,2026-01-02T10:00:00Z,mairie").unwrap();
    }
    import(daemon, &csv).await;
}

#[tokio::test]
async fn an_sms_outlives_every_fault_of_its_provider() {
    let twilio = Twilio::start().await;
    let mut daemon =
        Daemon::prepare(&town::with_sms("smtp://127.0.0.1:9", "sqlite", "", &twilio.url), &[]);
    by_phone(&daemon, 1).await;
    twilio.faults.next(Fault::Status(500));
    twilio.faults.next(Fault::TooMany { retry_after: 1 });
    twilio.faults.next(Fault::Garbage);
    twilio.faults.next(Fault::Hang);
    twilio.faults.next(Fault::Status(503));
    daemon.spawn();
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;

    let balance = completed(&daemon, "parc", 1).await;
    assert_eq!(balance["by_channel"]["sms"]["sent"], 1, "{balance}");
    assert_eq!(twilio.messages().len(), 1);
    assert_eq!(twilio.refused(), [""; 0]);
    let outcomes = "portevoix_outcomes_total";
    let sms = r#"channel="sms""#;
    let later = counted(&daemon, outcomes, &[sms, r#"outcome="later""#]).await;
    let slow_down = counted(&daemon, outcomes, &[sms, r#"outcome="slow_down""#]).await;
    let faults = counted(&daemon, "portevoix_provider_faults_total", &[sms]).await;
    assert_eq!((later, slow_down, faults), (4.0, 1.0, 5.0));
}

#[tokio::test]
async fn a_provider_that_is_down_is_left_alone_for_a_while() {
    let twilio = Twilio::start().await;
    let mut daemon =
        Daemon::prepare(&town::with_sms("smtp://127.0.0.1:9", "sqlite", "", &twilio.url), &[]);
    by_phone(&daemon, 60).await;
    twilio.faults.always(Fault::Status(500));
    daemon.spawn();
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;
    wait_until("the channel pauses", async || {
        daemon.log().contains("the provider does not answer; pausing")
    })
    .await;
    assert!(counted(&daemon, "portevoix_provider_faults_total", &[]).await >= 20.0);
    twilio.faults.lift();

    let balance = completed(&daemon, "parc", 60).await;
    assert_eq!(balance["states"]["sent"], 60, "{balance}");
    assert_eq!(twilio.messages().len(), 60, "each once");
}

#[tokio::test]
async fn one_recipient_of_many_is_refused_and_the_others_are_not() {
    const PEOPLE: usize = 20;
    let server = SmtpServer::start().await;
    let refuse = |answer: &str| Treatment::AtRcpt(answer.to_owned());
    let at_end = |answer: &str| Treatment::AfterData(answer.to_owned());
    server.treat(&person(0), refuse("550 5.1.1 no such user"));
    server.treat(&person(1), refuse("550 5.7.1 blocked by policy"));
    server.treat_first(2, &person(2), at_end("451 4.3.0 try again later"));
    server.treat_first(1, &person(3), Treatment::Cut);
    server.treat_first(1, &person(4), refuse("450 4.2.0 greylisted"));
    server.treat_first(1, &person(5), at_end("\u{0}\u{1}what? ça"));
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), "sqlite", ""), &[]);
    people(&daemon, PEOPLE).await;
    daemon.spawn();
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;

    let balance = completed(&daemon, "parc", PEOPLE).await;
    assert_eq!(balance["states"]["sent"], PEOPLE - 2, "{balance}");
    assert_eq!(balance["states"]["failed"], 2, "{balance}");
    let mut served: Vec<_> = server.mails().iter().map(|mail| mail.to.clone()).collect();
    served.sort();
    served.dedup();
    assert_eq!(served.len(), PEOPLE - 2, "nobody else was left out");
    let failed: Vec<String> =
        reasons(&daemon, "sqlite").await.into_iter().filter(|r| r.starts_with("failed")).collect();
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().any(|reason| reason.contains("5.1.1")), "{failed:?}");
    assert!(failed.iter().any(|reason| reason.contains("5.7.1")), "{failed:?}");

    // the dead address is not written to again; who was refused for our own reputation is
    publish(&daemon, &opened("place")).await;
    let balance = completed(&daemon, "place", PEOPLE - 1).await;
    assert_eq!(balance["states"]["failed"], 1, "{balance}");
}

#[tokio::test]
async fn what_can_not_be_sent_before_its_deadline_expires() {
    let server = SmtpServer::start().await;
    server.treat(&person(0), Treatment::AfterData("451 4.3.0 try again later".to_owned()));
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), "sqlite", ""), &[]);
    people(&daemon, 2).await;
    daemon.spawn();
    daemon.ready().await;
    let mut event = opened("reunion");
    let starts = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(8);
    event["type"] = json!("fr.lillemetropole.participation.meeting.scheduled");
    event["data"]["meeting"] = json!({ "starts": starts.to_string(), "place": "Mairie" });
    publish(&daemon, &event).await;

    let balance = completed(&daemon, "reunion", 2).await;
    assert_eq!((&balance["states"]["sent"], &balance["states"]["expired"]), (&json!(1), &json!(1)));
    assert!(server.transactions() > 2, "it was tried again before: {}", server.transactions());
    assert_eq!(server.count(), 1);
}

//! What other services publish: both modes of CloudEvents, a second copy, and what can't be used.

use serde_json::{Value, json};

use crate::harness::{
    smtp_sink::SmtpSink,
    stage::{Database, NO_SMS, NO_TELEGRAM, Stage, on_both_databases, opened},
    wait_for,
};

on_both_databases!(binary_mode_and_second_copies, what_cannot_be_used_is_kept_with_the_reason);

async fn start(database: Database) -> (Stage, SmtpSink) {
    let sink = SmtpSink::start(&[]).await;
    let settings = format!(
        "[email]\nprovider = \"smtp\"\nsmtp_url = \"{}?tls=none\"\n{NO_SMS}{NO_TELEGRAM}",
        sink.url()
    );
    let stage = Stage::start(database, &settings, &[]).await;
    stage.register(&["a,ada@example.org,,,59350,,email"]).await;
    (stage, sink)
}

async fn binary_mode_and_second_copies(database: Database) {
    let (stage, sink) = start(database).await;
    let event = opened("parc-sud", "Un parc au sud");
    let text = |name: &str| event[name].as_str().unwrap();
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", text("id")),
        ("ce-source", text("source")),
        ("ce-type", text("type")),
        ("ce-time", text("time")),
        ("Content-Type", "application/json"),
    ];
    let data = event["data"].to_string();
    stage.publish_raw("consultation.opened", &headers, data.as_bytes()).await;
    stage.settled("parc-sud-ouverture", "sent", 1).await;

    // the same event in the other mode, and again in this one; what comes behind is seen
    stage.publish(&event).await;
    stage.publish_raw("consultation.opened", &headers, data.as_bytes()).await;
    stage.publish(&opened("piscine", "Une piscine")).await;
    stage.settled("piscine-ouverture", "sent", 1).await;
    assert_eq!(sink.wait_for(2).await.len(), 2);
    assert_eq!(stage.event("parc-sud-ouverture").await.unwrap()["planned"], 1);
    let audit = stage.daemon.must(&["audit", "--json"]).await;
    assert_eq!(audit.lines().count(), 2, "{audit}");
}

async fn what_cannot_be_used_is_kept_with_the_reason(database: Database) {
    let (stage, sink) = start(database).await;
    let mut wrong = opened("parc-sud", "Un parc au sud");
    wrong["data"]["consultation"].as_object_mut().unwrap().remove("id");
    wrong["data"]["message"]["fr"]["title"] = json!(7);
    wrong["data"]["audience"] = json!({ "communes": ["00000"] });
    let mut unknown = opened("parc-nord", "Un parc au nord");
    unknown["type"] = json!("fr.lillemetropole.participation.consultation.forgotten");
    stage.publish(&wrong).await;
    stage.publish(&unknown).await;
    stage.publish_raw("consultation.opened", &[], "{ ceci n’est pas".as_bytes()).await;
    stage.publish(&opened("piscine", "Une piscine")).await;

    let (headers, original) = rejected(&stage, "consultation.opened", 2).await.remove(0);
    assert_eq!(original, wrong);
    let reason = headers.get("Portevoix-Reason").unwrap().to_string();
    for path in ["/data/consultation", "/data/message/fr/title", "/data/audience/communes/0"] {
        assert!(reason.contains(path), "no {path} in {reason}");
    }
    let (headers, original) = rejected(&stage, "consultation.opened", 2).await.remove(1);
    assert_eq!(original, json!("{ ceci n’est pas"));
    assert!(headers.get("Portevoix-Reason").is_some());
    let (headers, _) = rejected(&stage, "consultation.forgotten", 1).await.remove(0);
    assert!(headers.get("Portevoix-Reason").unwrap().to_string().contains("/type"));

    // bad ones hold up nothing
    stage.settled("piscine-ouverture", "sent", 1).await;
    assert_eq!(sink.wait_for(1).await.len(), 1);
}

async fn rejected(stage: &Stage, name: &str, count: usize) -> Vec<(async_nats::HeaderMap, Value)> {
    let subject = format!("participation.rejected.{name}");
    let found = wait_for(&format!("{count} dead letters on {subject}"), async || {
        let found = stage.on_bus("PARTICIPATION_REJECTED", &subject).await;
        (found.len() >= count).then_some(found)
    })
    .await;
    assert_eq!(found.len(), count, "{found:#?}");
    found
}

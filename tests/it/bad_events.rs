//! Events that can't be used go to the dead letters with each problem's path; what looks like code
//! in an event's texts arrives as the text that it is.

use async_nats::jetstream::message::StreamMessage;
use serde_json::{Value, json};

use crate::{
    harness::{daemon::Daemon, nats::Nats, smtp_server::SmtpServer, wait_for},
    town::{self, audit, completed, opened, people},
};

const SUBJECT: &str = "participation.events.consultation.opened";

async fn publish(nats: &Nats, payload: Vec<u8>) {
    let jetstream = nats.jetstream().await;
    jetstream.publish(SUBJECT, payload.into()).await.unwrap().await.unwrap();
}

/// The dead letters, once there are so many.
async fn dead_letters(nats: &Nats, count: u64) -> Vec<StreamMessage> {
    let stream = wait_for("dead letters arrive", async || {
        let stream = nats.jetstream().await.get_stream("PARTICIPATION_REJECTED").await.ok()?;
        (stream.cached_info().state.messages >= count).then_some(stream)
    })
    .await;
    let mut letters = Vec::new();
    for sequence in 1..=count {
        letters.push(stream.get_raw_message(sequence).await.unwrap());
    }
    letters
}

fn problems(letter: &StreamMessage) -> Vec<(String, String)> {
    let header = letter.headers.get("Portevoix-Problems").expect("says what is wrong");
    let problems: Vec<Value> = serde_json::from_str(header.as_str()).unwrap();
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap().to_owned();
    problems.iter().map(|one| (text(one, "path"), text(one, "problem"))).collect()
}

fn unknown_type() -> Value {
    let mut event = opened("inconnu");
    event["type"] = json!("fr.lillemetropole.participation.parade.announced");
    event
}

fn unknown_commune() -> Value {
    let mut event = opened("paris");
    event["data"]["audience"] = json!({ "communes": ["59350", "75056"] });
    event
}

#[tokio::test]
async fn what_can_not_be_used_goes_to_the_dead_letters_with_its_reasons() {
    let server = SmtpServer::start().await;
    let nats = Nats::start().await;
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), "sqlite", &nats.url()), &[]);
    people(&daemon, 1).await;
    daemon.spawn();
    daemon.ready().await;
    let five_megabytes = [b"\"".to_vec(), vec![b'x'; 5_000_000], b"\"".to_vec()].concat();
    let events: [Vec<u8>; 5] = [
        b"{\"specversion\": \"1.0\", ".to_vec(),
        b"\xff\x00 not even text".to_vec(),
        unknown_type().to_string().into_bytes(),
        five_megabytes,
        unknown_commune().to_string().into_bytes(),
    ];
    for event in &events {
        publish(&nats, event.clone()).await;
    }
    let letters = dead_letters(&nats, 5).await;
    let expected = [
        ("", "is not JSON"),
        ("", "is not JSON"),
        ("/type", ""),
        ("", "5000002 bytes"),
        ("/data/audience/communes/1", "75056"),
    ];
    for ((letter, event), (path, problem)) in letters.iter().zip(&events).zip(expected) {
        assert_eq!(letter.subject.as_str(), "participation.rejected.consultation.opened");
        assert!(letter.payload.as_ref() == event.as_slice(), "the original, untouched");
        let found = problems(letter);
        let told = found.iter().any(|(at, what)| at == path && what.contains(problem));
        assert!(told, "no `{problem}` at `{path}` in {found:?}");
        assert!(letter.headers.get("Portevoix-Reason").is_some());
    }
    // and the next good one goes its way
    publish(&nats, opened("parc").to_string().into_bytes()).await;
    completed(&daemon, "parc", 1).await;
    assert!(audit(&daemon, "paris").await.is_none(), "a rejected event is not stored");
}

#[tokio::test]
async fn the_command_line_says_what_is_wrong_and_publishes_nothing_of_it() {
    let daemon = Daemon::prepare(&town::settings("smtp://127.0.0.1:9", "sqlite", ""), &[]);
    let events = json!([opened("parc"), unknown_type(), unknown_commune()]);
    std::fs::write(daemon.folder().join("events.json"), events.to_string()).unwrap();
    std::fs::write(daemon.folder().join("broken.json"), "{\"id\": ").unwrap();

    let output = daemon.run(&["publish", "events.json"]).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 published, 0 already there, 2"));
    assert!(errors.contains("event 2: /type"), "{errors}");
    assert!(errors.contains("event 3: /data/audience/communes/1"), "{errors}");
    assert_eq!(daemon.run(&["publish", "broken.json"]).await.status.code(), Some(2));

    let output = daemon.run(&["inspect", "event", "events.json", "--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let valid: Vec<_> = lines.iter().map(|line| line["valid"].as_bool().unwrap()).collect();
    assert_eq!(valid, [true, false, false]);
    assert_eq!(lines[1]["problems"][0]["path"], "/type");
    assert_eq!(lines[2]["problems"][0]["path"], "/data/audience/communes/1");
    let output = daemon.run(&["inspect", "event", "broken.json", "--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(line["problems"][0]["problem"].as_str().unwrap().starts_with("is not JSON"), "{line}");
}

#[tokio::test]
async fn what_looks_like_code_arrives_as_text() {
    let server = SmtpServer::start().await;
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), "sqlite", ""), &[]);
    people(&daemon, 1).await;
    daemon.spawn();
    daemon.ready().await;
    let mut event = opened("code");
    event["data"]["consultation"]["title"]["fr"] = json!("Parc {{ 7 * 191 }}");
    event["data"]["message"]["fr"] = json!({
        "title": "<b>Parc</b> {{ 7 * 191 }}",
        "body": "<script>alert(1)</script> et {{ 7 * 191 }} puis {% for x in y %}<img src=x onerror=alert(2)>{% endfor %}"
    });
    town::publish(&daemon, &event).await;
    completed(&daemon, "code", 1).await;

    let mails = server.mails();
    let mail = mail_parser::MessageParser::default().parse(mails[0].message.as_bytes()).unwrap();
    let subject = mail.subject().unwrap();
    assert!(subject.contains("<b>Parc</b> {{ 7 * 191 }}"), "{subject}");
    let text = mail.body_text(0).unwrap();
    for literal in ["{{ 7 * 191 }}", "<script>alert(1)</script>", "{% for x in y %}"] {
        assert!(text.contains(literal), "`{literal}` is not in\n{text}");
    }
    let html = mail.body_html(0).unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
    assert!(html.contains("{{ 7 * 191 }}") && html.contains("{% for x in y %}"), "{html}");
    assert!(!html.contains("<script") && !html.contains("<img src=x"), "{html}");
    for part in [subject, &text, &html] {
        assert!(!part.contains("1337"), "a text was evaluated");
    }
}

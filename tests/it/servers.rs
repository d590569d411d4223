//! The harness is itself tested: a promise checked against a server that isn't there proves
//! nothing.

use std::process::Command;

use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection, Row};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::harness::{
    faults::Fault,
    http,
    nats::Nats,
    ovh::{self, Ovh},
    postgres::Postgres,
    process::{self, Running, Signal},
    smtp_server::{SmtpServer, Treatment},
    smtp_sink::SmtpSink,
    twilio::{self, Twilio},
    wait_until,
};

#[tokio::test]
async fn nats_keeps_what_was_acknowledged_over_a_kill() {
    let mut nats = Nats::start().await;
    let jetstream = nats.jetstream().await;
    let config = async_nats::jetstream::stream::Config {
        name: "EVENTS".to_owned(),
        subjects: vec!["events.>".to_owned()],
        ..Default::default()
    };
    jetstream.create_stream(config.clone()).await.unwrap();
    let five_megabytes = vec![b'x'; 5_000_000];
    jetstream.publish("events.a", "one".into()).await.unwrap().await.unwrap();
    jetstream.publish("events.a", five_megabytes.into()).await.unwrap().await.unwrap();

    nats.kill9();
    assert!(async_nats::connect(nats.url()).await.is_err());
    nats.restart().await;

    let mut stream = nats.jetstream().await.get_stream("EVENTS").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 2);
}

#[tokio::test]
async fn postgres_gives_each_test_a_database_of_its_own() {
    let postgres = Postgres::shared().await;
    let (first, second) = (postgres.database().await, postgres.database().await);
    assert_ne!(first, second);
    let mut connection = PgConnection::connect(&first).await.unwrap();
    sqlx::raw_sql("CREATE TABLE t (x TEXT)").execute(&mut connection).await.unwrap();
    let mut other = PgConnection::connect(&second).await.unwrap();
    assert!(sqlx::raw_sql("SELECT x FROM t").execute(&mut other).await.is_err());
}

#[tokio::test]
async fn postgres_comes_back_with_what_was_committed() {
    let mut postgres = Postgres::start().await;
    let url = postgres.database().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE t (x BIGINT); INSERT INTO t VALUES (42)")
        .execute(&mut connection)
        .await
        .unwrap();
    postgres.stop();
    assert!(sqlx::raw_sql("SELECT 1").execute(&mut connection).await.is_err());
    postgres.restart().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let rows: Vec<_> =
        sqlx::query("SELECT x FROM t").fetch(&mut connection).try_collect().await.unwrap();
    assert_eq!(rows[0].get::<i64, _>(0), 42);
}

/// Says each line and waits for its answer, up to the first refusal; the last answer.
async fn smtp(address: &str, lines: &[&str]) -> String {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut answers = BufReader::new(read).lines();
    let mut last = answers.next_line().await.unwrap().unwrap();
    for line in lines {
        write.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        last = answers.next_line().await.unwrap().unwrap_or_default();
        while last.as_bytes().get(3) == Some(&b'-') {
            last = answers.next_line().await.unwrap().unwrap();
        }
        if last.starts_with(['4', '5']) {
            break;
        }
    }
    last
}

const MAIL: &str = "Subject: Un parc\r\n au sud\r\nTo: <ada@example.org>\r\n\r\nBonjour\r\n..\r\n.";

#[tokio::test]
async fn smtp_sink_keeps_mails_that_were_taken_whole() {
    let mut sink = SmtpSink::start(&[]).await;
    let envelope = ["HELO test", "MAIL FROM:<b+1@example.org>", "RCPT TO:<ada@example.org>"];
    let whole = [&envelope[..], &["DATA", MAIL]].concat();
    assert!(smtp(&sink.address(), &whole).await.starts_with("250"));
    // hangs up before the end of the text
    smtp(&sink.address(), &[&envelope[..], &["DATA"]].concat()).await;

    let mail = sink.wait_for_mail_to("ada@example.org").await;
    assert_eq!(mail.from, "b+1@example.org");
    assert_eq!(mail.header("subject").as_deref(), Some("Un parc au sud"));
    assert!(mail.message.ends_with("Bonjour\n.\n"), "{mail:?}");
    sink.restart().await;
    assert!(smtp(&sink.address(), &whole).await.starts_with("250"));
    assert_eq!(sink.wait_for(2).await.len(), 2);
}

#[tokio::test]
async fn smtp_sink_refuses_when_told_to() {
    let sink = SmtpSink::start(&["-f", "RCPT"]).await;
    let lines = ["HELO test", "MAIL FROM:<b@example.org>", "RCPT TO:<ada@example.org>"];
    assert!(smtp(&sink.address(), &lines).await.starts_with('5'));
    assert_eq!(sink.count(), 0);
}

#[tokio::test]
async fn smtp_server_treats_each_recipient_as_told() {
    let server = SmtpServer::start().await;
    let address = server.url().replace("smtp://", "");
    server.treat("gone@example.org", Treatment::AtRcpt("550 5.1.1 no such user".to_owned()));
    let later = Treatment::AfterData("451 4.3.0 later".to_owned());
    server.treat_first(1, "slow@example.org", later);
    server.treat("cut@example.org", Treatment::Cut);
    let deliver = async |recipient: &str| {
        let to = format!("RCPT TO:<{recipient}>");
        smtp(&address, &["EHLO test", "MAIL FROM:<b@example.org>", &to, "DATA", MAIL]).await
    };
    assert!(deliver("gone@example.org").await.starts_with("550 5.1.1"));
    assert!(deliver("slow@example.org").await.starts_with("451"));
    assert!(deliver("slow@example.org").await.starts_with("250"));
    assert_eq!(deliver("cut@example.org").await, "");
    assert_eq!(server.transactions(), 4);
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["slow@example.org"]);
    assert!(mails[0].message.ends_with("Bonjour\n.\n"));
}

#[tokio::test]
async fn ovh_refuses_what_is_not_signed_and_answers_wrongly_on_demand() {
    let ovh = Ovh::start().await;
    let jobs = format!("{}/sms/{}/jobs", ovh.url, ovh::SERVICE);
    let answer = http().post(&jobs).json(&serde_json::json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(ovh.refused(), ["INVALID_CREDENTIAL: no x-ovh-application"]);
    assert!(ovh.jobs().is_empty());

    let time = format!("{}/auth/time", ovh.url);
    let ask = async || http().get(&time).send().await.unwrap();
    let before: i64 = ask().await.text().await.unwrap().parse().unwrap();
    ovh.set_skew(3600);
    let after: i64 = ask().await.text().await.unwrap().parse().unwrap();
    assert!(after - before >= 3600);
    ovh.faults.next(Fault::TooMany { retry_after: 7 });
    ovh.faults.next(Fault::Status(500));
    let answer = ask().await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(ask().await.status(), 500);
    assert_eq!(ask().await.status(), 200);
    ovh.faults.always(Fault::Garbage);
    assert!(ask().await.json::<i64>().await.is_err());
    ovh.faults.lift();
    assert!(ask().await.json::<i64>().await.is_ok());
}

#[tokio::test]
async fn twilio_takes_only_its_own_form_from_its_own_account() {
    let twilio = Twilio::start().await;
    let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", twilio.url, twilio::ACCOUNT);
    let send = async |token: &str, form: &[(&str, &str)]| {
        let request = http().post(&url).basic_auth(twilio::ACCOUNT, Some(token));
        request.form(form).send().await.unwrap().status().as_u16()
    };
    let good = [("To", "+33612345678"), ("From", "38123"), ("Body", "Bonjour à tous")];
    assert_eq!(send("wrong", &good).await, 401);
    assert_eq!(send(twilio::TOKEN, &good).await, 201);
    assert_eq!(send(twilio::TOKEN, &good[..2]).await, 400);
    assert_eq!(send(twilio::TOKEN, &[&good[..], &[("Colour", "red")]].concat()).await, 400);
    twilio.refuse_number("+33612345678", 21610);
    assert_eq!(send(twilio::TOKEN, &good).await, 400);
    assert_eq!(twilio.messages().len(), 1);
    assert_eq!(twilio.messages()[0].body, "Bonjour à tous");
    assert_eq!(twilio.refused().len(), 4);
}

#[tokio::test]
async fn a_server_does_not_outlive_a_killed_test() {
    let folder = process::folder("watch");
    let mut command = Command::new("tail");
    command.args(["-f", "/dev/null"]);
    let log = folder.path().join("log");
    let mut running = Running::start(&mut command, &log, folder.path(), Signal::Kill);
    running.orphan();
    wait_until("the watch ends the server and removes its folder", async || {
        running.ended().is_some() && !folder.path().exists()
    })
    .await;
}

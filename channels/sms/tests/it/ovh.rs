use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
    routing::{any, get},
};
use portevoix_contract::{Channel, Fault as Whose, Outcome};
use portevoix_sms::{OvhConfig, ProviderConfig, Sms};
use ring::digest;
use serde::Deserialize;

use crate::harness::{Fault, NOW_MS, NUMBER, Script, TEXT, answer, outbound, send, serve, sms};

pub const SECRET: &str = "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF";
pub const CONSUMER: &str = "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1";
const APPLICATION: &str = "7kbG7Bk7S9Nt7ZSV";

/// OVHcloud's clock: years away from ours, so that only a measured offset gets past the check.
const THEIR_SECONDS: i64 = 1_366_560_945;

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Job {
    message: String,
    receivers: Vec<String>,
    sender: Option<String>,
    sender_for_response: bool,
    no_stop_clause: bool,
    charset: String,
    class: String,
    coding: String,
    priority: String,
    tag: String,
    validity_period: Option<u32>,
}

/// A strict OVHcloud: own signature check, no unknown field, only what it documents.
#[derive(Clone, Default)]
pub struct Ovh {
    pub script: Script,
    pub jobs: Arc<Mutex<Vec<Job>>>,
    pub incoming: Arc<Mutex<Vec<(i64, String)>>>,
    /// Paths below the service that were called.
    pub calls: Arc<Mutex<Vec<String>>>,
    pub times_asked: Arc<Mutex<usize>>,
}

impl Ovh {
    pub async fn start(&self) -> String {
        let router = Router::new()
            .route("/1.0/auth/time", get(time))
            .route("/1.0/sms/sms-xx1-1", any(service))
            .route("/1.0/sms/sms-xx1-1/{*rest}", any(service))
            .with_state(self.clone());
        format!("{}/1.0", serve(router).await)
    }
}

async fn time(State(ovh): State<Ovh>) -> String {
    *ovh.times_asked.lock().unwrap() += 1;
    THEIR_SECONDS.to_string()
}

async fn service(
    State(ovh): State<Ovh>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if let Some(problem) = check_signature(&method, &uri, &headers, &body) {
        let body = format!(r#"{{"errorCode":"{problem}","httpCode":"403","message":"no"}}"#);
        return answer(403, &[], body);
    }
    let below = uri.path().trim_start_matches("/1.0/sms/sms-xx1-1").to_owned();
    ovh.calls.lock().unwrap().push(format!("{method} {below}"));
    if let Some(departed) = ovh.script.depart().await {
        return departed;
    }
    let json = [("content-type", "application/json")];
    let incoming = ovh.incoming.lock().unwrap().clone();
    match (method.as_str(), below.as_str()) {
        ("GET", "") => answer(200, &json, r#"{"status":"enable","creditsLeft":1234.5}"#),
        ("POST", "/jobs") => take_job(&ovh, &body),
        ("GET", "/incoming") => {
            let ids: Vec<i64> = incoming.iter().map(|(id, _)| *id).collect();
            answer(200, &json, serde_json::to_string(&ids).unwrap())
        }
        ("GET", path) => {
            let id = path.strip_prefix("/incoming/").and_then(|id| id.parse::<i64>().ok());
            match incoming.into_iter().find(|(known, _)| Some(*known) == id) {
                Some((_, message)) => answer(200, &json, message),
                None => answer(404, &json, r#"{"message":"not found"}"#),
            }
        }
        _ => answer(405, &[], ""),
    }
}

fn take_job(ovh: &Ovh, body: &[u8]) -> Response<Body> {
    let job: Job = match serde_json::from_slice(body) {
        Ok(job) => job,
        Err(error) => return answer(400, &[], format!(r#"{{"message":"{error}"}}"#)),
    };
    assert_eq!(job.charset, "UTF-8");
    assert_eq!(job.class, "phoneDisplay");
    assert!(["high", "medium", "low", "veryLow"].contains(&job.priority.as_str()));
    assert!(job.tag.len() <= 20 && job.sender.is_some() != job.sender_for_response);
    let invalid: Vec<&String> =
        job.receivers.iter().filter(|number| number.ends_with("0000")).collect();
    let ids: Vec<u64> = if invalid.is_empty() { vec![987_654_321] } else { vec![] };
    let said = serde_json::json!({
        "ids": ids, "invalidReceivers": invalid, "validReceivers": [], "totalCreditsRemoved": 1
    });
    ovh.jobs.lock().unwrap().push(job);
    answer(200, &[], said.to_string())
}

fn check_signature(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<&'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    if header("x-ovh-application") != APPLICATION {
        return Some("INVALID_KEY");
    }
    if header("x-ovh-consumer") != CONSUMER {
        return Some("INVALID_CREDENTIAL");
    }
    let timestamp: i64 = header("x-ovh-timestamp").parse().unwrap_or(0);
    if (timestamp - THEIR_SECONDS).abs() > 30 {
        return Some("QUERY_TIME_OUT");
    }
    let url = format!("http://{}{uri}", header("host"));
    let body = std::str::from_utf8(body).unwrap();
    let signed = format!("{SECRET}+{CONSUMER}+{method}+{url}+{body}+{timestamp}");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, signed.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    (header("x-ovh-signature") != format!("$1${hex}")).then_some("INVALID_SIGNATURE")
}

pub fn config(endpoint: String) -> OvhConfig {
    OvhConfig {
        endpoint,
        application_key: APPLICATION.into(),
        application_secret: SECRET.to_owned().into(),
        consumer_key: CONSUMER.to_owned().into(),
        service: "sms-xx1-1".into(),
        sender: None,
        sender_for_response: true,
        poll_ms: 20,
        receipt_token: Some("a-token-of-16-chars".to_owned().into()),
    }
}

async fn started() -> (Ovh, Sms) {
    let ovh = Ovh::default();
    let channel = sms(ProviderConfig::Ovh(config(ovh.start().await)));
    (ovh, channel)
}

async fn sent(channel: &Sms) -> Outcome {
    send(channel, &outbound(), &[SECRET, CONSUMER]).await
}

#[tokio::test]
async fn a_signed_job_is_accepted_with_its_id() {
    let (ovh, channel) = started().await;
    assert_eq!(sent(&channel).await, Outcome::Accepted { reference: "987654321".into() });
    assert_eq!(sent(&channel).await, Outcome::Accepted { reference: "987654321".into() });
    let job = ovh.jobs.lock().unwrap()[0].clone();
    assert_eq!((job.message.as_str(), job.receivers), (TEXT, vec![NUMBER.to_owned()]));
    assert!(job.no_stop_clause && job.sender_for_response);
    assert_eq!((job.coding.as_str(), job.validity_period), ("7bit", Some(60)));
    assert_eq!(job.tag, "198f3a2-333344445555");
    assert_eq!(*ovh.times_asked.lock().unwrap(), 1, "the clock's offset is kept");
}

#[tokio::test]
async fn a_wrong_secret_makes_the_channel_wait_and_costs_no_delivery() {
    let ovh = Ovh::default();
    let mut config = config(ovh.start().await);
    config.application_secret = "another-secret-altogether".to_owned().into();
    let channel = sms(ProviderConfig::Ovh(config));
    let outcome = sent(&channel).await;
    assert!(matches!(outcome, Outcome::SlowDown { until_ms, .. } if until_ms == NOW_MS + 60_000));
    assert!(ovh.jobs.lock().unwrap().is_empty());
    assert!(channel.probe().await.unwrap_err().contains("403"));
}

#[tokio::test]
async fn an_invalid_receiver_is_the_addresss_fault() {
    let (_ovh, channel) = started().await;
    let mut wrong = outbound();
    wrong.to = "+33612340000".into();
    let outcome = send(&channel, &wrong, &["612340000"]).await;
    assert!(matches!(outcome, Outcome::Refused { fault: Whose::Address, .. }), "{outcome:?}");
    // and what is no number at all is not even asked about
    wrong.to = "0612345678".into();
    let outcome = send(&channel, &wrong, &["0612345678"]).await;
    assert!(matches!(outcome, Outcome::Refused { fault: Whose::Address, .. }), "{outcome:?}");
}

#[tokio::test]
async fn faults_are_told_apart() {
    let (ovh, channel) = started().await;
    ovh.script.next(Fault::Answer(500, &[], "boom"));
    assert!(matches!(sent(&channel).await, Outcome::Later { not_before_ms: None, .. }));

    ovh.script.next(Fault::Answer(503, &[("retry-after", "30")], ""));
    let outcome = sent(&channel).await;
    assert!(
        matches!(outcome, Outcome::Later { not_before_ms: Some(at), .. } if at == NOW_MS + 30_000)
    );

    ovh.script.next(Fault::Answer(429, &[("retry-after", "7")], ""));
    let outcome = sent(&channel).await;
    assert!(matches!(outcome, Outcome::SlowDown { until_ms, .. } if until_ms == NOW_MS + 7_000));

    ovh.script.next(Fault::Answer(200, &[], "<html>It works!</html>"));
    assert!(matches!(sent(&channel).await, Outcome::Later { .. }));

    ovh.script.next(Fault::Hang);
    let outcome = sent(&channel).await;
    assert!(matches!(&outcome, Outcome::Later { why, .. } if why.contains("in time")));

    ovh.script.next(Fault::Answer(302, &[("location", "http://127.0.0.1:9/")], ""));
    assert!(matches!(sent(&channel).await, Outcome::SlowDown { .. }));

    let credit = r#"{"class":"Client::BadRequest","message":"Not enough credits"}"#;
    ovh.script.next(Fault::Answer(400, &[], credit));
    assert!(matches!(sent(&channel).await, Outcome::SlowDown { .. }));
    assert!(ovh.jobs.lock().unwrap().is_empty());
    assert!(matches!(sent(&channel).await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn a_clock_that_went_wrong_is_asked_for_again() {
    let (ovh, channel) = started().await;
    ovh.script.next(Fault::Answer(400, &[], r#"{"errorCode":"QUERY_TIME_OUT"}"#));
    assert!(matches!(sent(&channel).await, Outcome::Later { .. }));
    assert!(matches!(sent(&channel).await, Outcome::Accepted { .. }));
    assert_eq!(*ovh.times_asked.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_provider_that_is_away_is_for_later() {
    let channel = sms(ProviderConfig::Ovh(config("http://127.0.0.1:9/1.0".into())));
    let outcome = sent(&channel).await;
    assert!(matches!(&outcome, Outcome::Later { why, .. } if why.contains("reached")));
}

#[tokio::test]
async fn the_probe_tells_the_credit() {
    let (_ovh, channel) = started().await;
    assert_eq!(
        channel.probe().await.unwrap(),
        "OVHcloud: sms-xx1-1 is enable, 1234.5 credits left"
    );
}

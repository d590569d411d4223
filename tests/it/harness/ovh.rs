//! A strict fake of OVHcloud's SMS API: every request's signature and time are checked, and a
//! job's JSON may hold only what the documentation names.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;

use super::faults::{Faults, Listening};

pub const APPLICATION_KEY: &str = "7kbG7Bk7S9Nt7ZSV";
pub const APPLICATION_SECRET: &str = "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF";
pub const CONSUMER_KEY: &str = "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1";
pub const SERVICE: &str = "sms-pv1-1";

/// How far a request's time may be from the server's, in seconds.
const TOLERANCE: i64 = 30;

/// A job as the provider takes it. Anything else is refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Job {
    pub message: String,
    pub receivers: Vec<String>,
    pub sender: Option<String>,
    pub sender_for_response: Option<bool>,
    pub no_stop_clause: Option<bool>,
    pub charset: Option<String>,
    pub class: Option<String>,
    pub coding: Option<String>,
    pub differed_period: Option<u32>,
    pub priority: Option<String>,
    pub tag: Option<String>,
    /// Minutes.
    pub validity_period: Option<u32>,
}

#[derive(Debug, Clone)]
struct Incoming {
    sender: String,
    message: String,
    at: String,
}

#[derive(Debug, Default)]
struct Seen {
    jobs: Vec<(i64, Job)>,
    incoming: BTreeMap<i64, Incoming>,
    refused: Vec<String>,
    unreachable: Vec<String>,
    next_id: i64,
    skew: i64,
}

/// See the module.
pub struct Ovh {
    pub url: String,
    pub faults: Arc<Faults>,
    seen: Arc<Mutex<Seen>>,
    _listening: Listening,
}

#[derive(Clone)]
struct Shared {
    origin: String,
    faults: Arc<Faults>,
    seen: Arc<Mutex<Seen>>,
}

impl Ovh {
    pub async fn start() -> Self {
        let faults = Arc::new(Faults::default());
        let seen = Arc::new(Mutex::new(Seen { next_id: 1000, ..Seen::default() }));
        let listening = Listening::start(|origin| {
            router(Shared {
                origin: origin.to_owned(),
                faults: Arc::clone(&faults),
                seen: Arc::clone(&seen),
            })
        })
        .await;
        Self { url: format!("{}/1.0", listening.url), faults, seen, _listening: listening }
    }

    /// The server's clock runs this many seconds ahead of ours: who doesn't ask `/auth/time` is
    /// refused.
    pub fn set_skew(&self, seconds: i64) {
        lock(&self.seen).skew = seconds;
    }

    /// This number is answered among the invalid receivers.
    pub fn make_invalid(&self, number: &str) {
        lock(&self.seen).unreachable.push(number.to_owned());
    }

    /// Every job that was taken, with its id, in order.
    pub fn jobs(&self) -> Vec<(i64, Job)> {
        lock(&self.seen).jobs.clone()
    }

    /// Why requests were refused, in order. Empty is what a test of good behaviour expects.
    pub fn refused(&self) -> Vec<String> {
        lock(&self.seen).refused.clone()
    }

    /// A citizen writes to the short number; the id under which it waits.
    pub fn write(&self, sender: &str, message: &str) -> i64 {
        let mut seen = lock(&self.seen);
        let id = take_id(&mut seen);
        let at = "2026-11-23T10:00:00+01:00".to_owned();
        seen.incoming
            .insert(id, Incoming { sender: sender.to_owned(), message: message.to_owned(), at });
        id
    }

    /// The callback by which OVHcloud says what became of a message: 1 delivered, 2 and 16 failed.
    pub async fn receipt(&self, hook: &str, id: i64, dlr: u32) -> StatusCode {
        let query = [("id", id.to_string()), ("dlr", dlr.to_string())];
        let answer = super::http().get(hook).query(&query).send().await;
        answer.expect("failed to reach the hook").status()
    }
}

fn router(shared: Shared) -> Router {
    let service = format!("/1.0/sms/{SERVICE}");
    let signed = Router::new()
        .route(&format!("{service}/jobs"), axum::routing::post(send))
        .route(&format!("{service}/incoming"), get(list))
        .route(&format!("{service}/incoming/{{id}}"), get(read).delete(remove))
        .route(&service, get(async || Json(json!({ "name": SERVICE, "creditsLeft": 1000.0 }))))
        .layer(middleware::from_fn_with_state(shared.clone(), check));
    Router::new().route("/1.0/auth/time", get(time)).merge(signed).with_state(shared)
}

/// Faults first, then the signature, as a gateway in front of the API does.
async fn check(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if let Some(wrong) = shared.faults.strike().await {
        return wrong;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return refuse(&shared, StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", "body too large");
    };
    let url = format!("{}{}", shared.origin, parts.uri);
    match verify(&parts.method, &url, &parts.headers, &body, server_time(&shared)) {
        Ok(()) => next.run(Request::from_parts(parts, body.into())).await,
        Err((code, why)) => refuse(&shared, StatusCode::BAD_REQUEST, code, &why),
    }
}

/// `"$1$" + sha1(secret + "+" + consumer + "+" + METHOD + "+" + URL + "+" + body + "+" + time)`.
fn verify(
    method: &Method,
    url: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<(), (&'static str, String)> {
    let header = |name: &str| -> Result<&str, (&'static str, String)> {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or(("INVALID_CREDENTIAL", format!("no {name}")))
    };
    if header("x-ovh-application")? != APPLICATION_KEY {
        return Err(("INVALID_KEY", "unknown application".to_owned()));
    }
    if header("x-ovh-consumer")? != CONSUMER_KEY {
        return Err(("INVALID_CREDENTIAL", "unknown consumer".to_owned()));
    }
    let time = header("x-ovh-timestamp")?;
    let seconds: i64 =
        time.parse().map_err(|_| ("QUERY_TIME_OUT", format!("`{time}` is no time")))?;
    if (seconds - now).abs() > TOLERANCE {
        return Err(("QUERY_TIME_OUT", format!("time is off by {} s", seconds - now)));
    }
    let body = std::str::from_utf8(body)
        .map_err(|_| ("INVALID_SIGNATURE", "body is not UTF-8".to_owned()))?;
    if header("x-ovh-signature")? != signature(method.as_str(), url, body, time) {
        return Err(("INVALID_SIGNATURE", format!("wrong signature of {method} {url}")));
    }
    Ok(())
}

fn signature(method: &str, url: &str, body: &str, time: &str) -> String {
    let signed = [APPLICATION_SECRET, CONSUMER_KEY, method, url, body, time].join("+");
    let algorithm = &ring::digest::SHA1_FOR_LEGACY_USE_ONLY;
    let digest = ring::digest::digest(algorithm, signed.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("$1${hex}")
}

async fn time(State(shared): State<Shared>) -> Response {
    match shared.faults.strike().await {
        Some(wrong) => wrong,
        None => server_time(&shared).to_string().into_response(),
    }
}

async fn send(State(shared): State<Shared>, body: Bytes) -> Response {
    let job: Job = match serde_json::from_slice(&body) {
        Ok(job) => job,
        Err(error) => {
            return refuse(&shared, StatusCode::BAD_REQUEST, "BAD_JOB", &error.to_string());
        }
    };
    if let Err(why) = job.check() {
        return refuse(&shared, StatusCode::BAD_REQUEST, "BAD_JOB", &why);
    }
    let mut seen = lock(&shared.seen);
    let (invalid, valid): (Vec<String>, Vec<String>) =
        job.receivers.iter().cloned().partition(|number| seen.unreachable.contains(number));
    let ids: Vec<i64> = valid.iter().map(|_| take_id(&mut seen)).collect();
    seen.jobs.extend(ids.iter().map(|id| (*id, job.clone())));
    let credits = ids.len();
    Json(json!({
        "ids": ids, "validReceivers": valid, "invalidReceivers": invalid,
        "totalCreditsRemoved": credits, "tag": job.tag,
    }))
    .into_response()
}

impl Job {
    fn check(&self) -> Result<(), String> {
        let one_of = |what: &str, value: &Option<String>, allowed: &[&str]| match value {
            Some(value) if !allowed.contains(&value.as_str()) => {
                Err(format!("{what} `{value}` is none of {allowed:?}"))
            }
            _ => Ok(()),
        };
        if self.message.is_empty() || self.receivers.is_empty() {
            return Err("no message or no receiver".to_owned());
        }
        if let Some(wrong) = self.receivers.iter().find(|number| !is_e164(number)) {
            return Err(format!("receiver `{wrong}` is not international"));
        }
        if self.sender.is_some() == (self.sender_for_response == Some(true)) {
            return Err("exactly one of sender and senderForResponse is needed".to_owned());
        }
        one_of("charset", &self.charset, &["UTF-8"])?;
        one_of("class", &self.class, &["flash", "phoneDisplay", "sim", "toolkit"])?;
        one_of("coding", &self.coding, &["7bit", "8bit"])?;
        one_of("priority", &self.priority, &["high", "low", "medium", "veryHigh"])
    }
}

async fn list(State(shared): State<Shared>) -> Json<Vec<i64>> {
    Json(lock(&shared.seen).incoming.keys().copied().collect())
}

async fn read(State(shared): State<Shared>, Path(id): Path<i64>) -> Response {
    match lock(&shared.seen).incoming.get(&id) {
        Some(incoming) => Json(json!({
            "id": id, "creationDatetime": incoming.at, "message": incoming.message,
            "sender": incoming.sender, "credits": 0, "tag": "",
        }))
        .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn remove(State(shared): State<Shared>, Path(id): Path<i64>) -> Response {
    match lock(&shared.seen).incoming.remove(&id) {
        Some(_) => Json(json!(null)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn refuse(shared: &Shared, status: StatusCode, code: &str, why: &str) -> Response {
    lock(&shared.seen).refused.push(format!("{code}: {why}"));
    (status, Json(json!({ "errorCode": code, "httpCode": status.to_string(), "message": why })))
        .into_response()
}

#[expect(clippy::disallowed_methods, reason = "the provider's clock is its own, not the daemon's")]
fn server_time(shared: &Shared) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    let seconds = i64::try_from(now.as_secs()).expect("the clock is before the end of time");
    seconds + lock(&shared.seen).skew
}

fn take_id(seen: &mut Seen) -> i64 {
    seen.next_id += 1;
    seen.next_id
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn signature_is_that_of_another_implementation() {
    // python3: "$1$" + hashlib.sha1("+".join([...]).encode()).hexdigest()
    let url = "https://eu.api.ovh.com/1.0/sms/sms-pv1-1/jobs";
    let body = r#"{"message":"Été à Lille"}"#;
    assert_eq!(
        signature("POST", url, body, "1795428000"),
        "$1$fd00b76e30dd0233bc0a84310d4c85df8ac343ff"
    );
}

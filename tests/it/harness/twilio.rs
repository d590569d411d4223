//! A strict fake of Twilio's Messages API: Basic authentication, a form with only what the
//! documentation names, and webhooks signed as Twilio signs them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Form, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::faults::{Faults, Listening};

pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const TOKEN: &str = "6f8b2f1c9d3e4a5b8c7d6e5f4a3b2c1d";

/// Longer bodies are refused (error 21617).
const MOST_CHARS: usize = 1600;

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub sid: String,
    pub to: String,
    /// `From` or `MessagingServiceSid`.
    pub from: String,
    pub body: String,
    pub status_callback: Option<String>,
}

#[derive(Debug, Default)]
struct Seen {
    messages: Vec<Message>,
    refused: Vec<String>,
    unreachable: BTreeMap<String, u32>,
    inbound: u32,
}

/// See the module.
pub struct Twilio {
    pub url: String,
    pub faults: Arc<Faults>,
    seen: Arc<Mutex<Seen>>,
    _listening: Listening,
}

#[derive(Clone)]
struct Shared {
    faults: Arc<Faults>,
    seen: Arc<Mutex<Seen>>,
}

impl Twilio {
    pub async fn start() -> Self {
        let shared = Shared { faults: Arc::default(), seen: Arc::default() };
        let state = shared.clone();
        let listening = Listening::start(|_| {
            let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
            Router::new()
                .route(&format!("{account}/Messages.json"), post(send))
                .route(&format!("{account}.json"), get(account_page))
                .with_state(state)
        })
        .await;
        let url = listening.url.clone();
        Self { url, faults: shared.faults, seen: shared.seen, _listening: listening }
    }

    /// Sending to this number is refused with an error code of Twilio's: 21211 not a number, 21610
    /// has unsubscribed, 21614 not a mobile …
    pub fn refuse_number(&self, number: &str, code: u32) {
        lock(&self.seen).unreachable.insert(number.to_owned(), code);
    }

    /// Every message that was taken, in order.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.seen).messages.clone()
    }

    /// Why requests were refused, in order. Empty is what a test of good behaviour expects.
    pub fn refused(&self) -> Vec<String> {
        lock(&self.seen).refused.clone()
    }

    /// A citizen writes: the signed webhook, and the answer to it. `hook` is the public address,
    /// as it was given to Twilio.
    pub async fn write(&self, hook: &str, from: &str, to: &str, body: &str) -> StatusCode {
        let number = {
            let mut seen = lock(&self.seen);
            seen.inbound += 1;
            seen.inbound
        };
        let sid = format!("SM{number:032x}");
        let form = [
            ("MessageSid", sid.as_str()),
            ("SmsMessageSid", &sid),
            ("AccountSid", ACCOUNT),
            ("From", from),
            ("To", to),
            ("Body", body),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
            ("ApiVersion", "2010-04-01"),
        ];
        self.call(hook, &form, TOKEN).await
    }

    /// What became of a message: `delivered`, `undelivered`, `failed` … with an error code.
    pub async fn receipt(&self, hook: &str, sid: &str, status: &str, error: &str) -> StatusCode {
        let mut form =
            vec![("MessageSid", sid), ("AccountSid", ACCOUNT), ("MessageStatus", status)];
        if !error.is_empty() {
            form.push(("ErrorCode", error));
        }
        self.call(hook, &form, TOKEN).await
    }

    /// Any form, signed with any token: the wrong one must be refused.
    pub async fn call(&self, hook: &str, form: &[(&str, &str)], token: &str) -> StatusCode {
        let answer = super::http()
            .post(hook)
            .header("X-Twilio-Signature", signature(token, hook, form))
            .form(form)
            .send()
            .await;
        answer.expect("failed to reach the hook").status()
    }
}

async fn account_page(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(wrong) = shared.faults.strike().await {
        return wrong;
    }
    if let Err(why) = authorized(&headers) {
        return refuse(&shared, StatusCode::UNAUTHORIZED, 20003, why);
    }
    Json(json!({ "sid": ACCOUNT, "status": "active" })).into_response()
}

async fn send(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    if let Some(wrong) = shared.faults.strike().await {
        return wrong;
    }
    if let Err(why) = authorized(&headers) {
        return refuse(&shared, StatusCode::UNAUTHORIZED, 20003, why);
    }
    let sent = lock(&shared.seen).messages.len();
    let message = match read(&pairs, format!("SM{:032x}", 0xf00_0000 + sent)) {
        Ok(message) => message,
        Err((code, why)) => return refuse(&shared, StatusCode::BAD_REQUEST, code, &why),
    };
    let unreachable = lock(&shared.seen).unreachable.get(&message.to).copied();
    if let Some(code) = unreachable {
        return refuse(&shared, StatusCode::BAD_REQUEST, code, "the number can't be written to");
    }
    let answer = json!({
        "sid": message.sid, "account_sid": ACCOUNT, "to": message.to, "body": message.body,
        "status": "queued", "num_segments": "1", "error_code": null, "error_message": null,
        "api_version": "2010-04-01", "direction": "outbound-api",
    });
    lock(&shared.seen).messages.push(message);
    (StatusCode::CREATED, Json(answer)).into_response()
}

fn authorized(headers: &HeaderMap) -> Result<(), &'static str> {
    let expected = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    match headers.get(header::AUTHORIZATION) {
        Some(value) if value.as_bytes() == expected.as_bytes() => Ok(()),
        Some(_) => Err("wrong account or token"),
        None => Err("no authorization"),
    }
}

fn read(pairs: &[(String, String)], sid: String) -> Result<Message, (u32, String)> {
    let mut form = BTreeMap::new();
    for (name, value) in pairs {
        if form.insert(name.as_str(), value.as_str()).is_some() {
            return Err((20001, format!("{name} is there twice")));
        }
    }
    let to = form.remove("To").ok_or((21604, "no To".to_owned()))?.to_owned();
    let body = form.remove("Body").ok_or((21602, "no Body".to_owned()))?.to_owned();
    let from = match (form.remove("From"), form.remove("MessagingServiceSid")) {
        (Some(from), None) | (None, Some(from)) => from.to_owned(),
        _ => return Err((21603, "exactly one of From and MessagingServiceSid".to_owned())),
    };
    let status_callback = form.remove("StatusCallback").map(str::to_owned);
    // documented, and of no meaning here
    for optional in ["ValidityPeriod", "MaxPrice", "SmartEncoded", "Attempt"] {
        form.remove(optional);
    }
    if let Some(unknown) = form.keys().next() {
        return Err((20001, format!("{unknown} is not documented")));
    }
    if !to.starts_with('+') || !to[1..].bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((21211, format!("To `{to}` is not E.164")));
    }
    if body.is_empty() || body.chars().count() > MOST_CHARS {
        return Err((21617, format!("Body has {} characters", body.chars().count())));
    }
    if status_callback.as_deref().is_some_and(|url| !url.starts_with("http")) {
        return Err((21609, "StatusCallback is no address".to_owned()));
    }
    Ok(Message { sid, to, from, body, status_callback })
}

fn refuse(shared: &Shared, status: StatusCode, code: u32, why: &str) -> Response {
    lock(&shared.seen).refused.push(format!("{code}: {why}"));
    let body = json!({
        "code": code, "message": why, "status": status.as_u16(),
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
    });
    (status, Json(body)).into_response()
}

/// Base64 of HMAC-SHA1, keyed with the token, of the address and every parameter sorted by name.
fn signature(token: &str, url: &str, form: &[(&str, &str)]) -> String {
    let mut sorted = form.to_vec();
    sorted.sort_unstable();
    let mut signed = url.to_owned();
    for (name, value) in sorted {
        signed.push_str(name);
        signed.push_str(value);
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    STANDARD.encode(ring::hmac::sign(&key, signed.as_bytes()))
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn signature_is_the_documented_one() {
    // the example of https://www.twilio.com/docs/usage/security
    let form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ];
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(signature("12345", url, &form), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

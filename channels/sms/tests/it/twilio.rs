use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use portevoix_contract::{Channel, Fault as Whose, Outcome};
use portevoix_sms::{ProviderConfig, Sms, TwilioConfig};

use crate::harness::{Fault, NOW_MS, NUMBER, Script, TEXT, answer, outbound, send, serve, sms};

const SID: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "12345678901234567890123456789012";
const FIELDS: &[&str] =
    &["To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"];

/// A strict Twilio: own reading of the authentication, no field it doesn't document.
#[derive(Clone, Default)]
struct Twilio {
    script: Script,
    messages: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

impl Twilio {
    async fn start(&self) -> String {
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}/Messages.json", post(messages))
            .route("/2010-04-01/Accounts/{account}", get(account))
            .with_state(self.clone());
        serve(router).await
    }
}

fn allowed(account: &str, headers: &HeaderMap) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("{SID}:{TOKEN}")));
    account == SID && headers.get("authorization").is_some_and(|given| given == expected.as_str())
}

fn refusal(status: u16, code: u32) -> Response<Body> {
    let body = serde_json::json!({
        "code": code, "message": format!("'{NUMBER}' is not good enough"), "status": status,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}")
    });
    answer(status, &[("content-type", "application/json")], body.to_string())
}

async fn account(Path(account): Path<String>, headers: HeaderMap) -> Response<Body> {
    if allowed(account.trim_end_matches(".json"), &headers) {
        answer(200, &[], r#"{"status":"active"}"#)
    } else {
        refusal(401, 20003)
    }
}

async fn messages(
    State(twilio): State<Twilio>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if !allowed(&account, &headers) {
        return refusal(401, 20003);
    }
    if let Some(departed) = twilio.script.depart().await {
        return departed;
    }
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    assert!(form.keys().all(|name| FIELDS.contains(&name.as_str())), "{:?}", form.keys());
    assert!(form.contains_key("From") != form.contains_key("MessagingServiceSid"));
    match form["To"].as_str() {
        "+33612340000" => return refusal(400, 21211),
        "+33612340001" => return refusal(400, 21610),
        "+15005550000" => return refusal(400, 21408),
        "+33612340002" => return refusal(400, 99_999),
        "+33612340003" => return refusal(400, 21606),
        _ => {}
    }
    twilio.messages.lock().unwrap().push(form);
    answer(201, &[], r#"{"sid":"SM42","status":"queued","error_code":null}"#)
}

async fn started() -> (Twilio, Sms) {
    let twilio = Twilio::default();
    let channel = sms(ProviderConfig::Twilio(config(twilio.start().await)));
    (twilio, channel)
}

fn config(api_url: String) -> TwilioConfig {
    TwilioConfig {
        api_url,
        account_sid: SID.into(),
        auth_token: TOKEN.to_owned().into(),
        from: Some("38123".into()),
        messaging_service_sid: None,
        status_callback: Some("https://voix.example/hooks/sms/twilio".into()),
    }
}

async fn sent_to(channel: &Sms, number: &str) -> Outcome {
    let mut message = outbound();
    message.to = number.into();
    send(channel, &message, &[TOKEN, &number[1..]]).await
}

#[tokio::test]
async fn a_message_is_accepted_with_its_sid() {
    let (twilio, channel) = started().await;
    assert_eq!(sent_to(&channel, NUMBER).await, Outcome::Accepted { reference: "SM42".into() });
    let form = twilio.messages.lock().unwrap().remove(0);
    let expected = [
        ("To", NUMBER),
        ("From", "38123"),
        ("Body", TEXT),
        ("StatusCallback", "https://voix.example/hooks/sms/twilio"),
        ("ValidityPeriod", "3600"),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.into(), value.into())).into());
    assert_eq!(channel.probe().await.unwrap(), "Twilio: the account is active");
}

#[tokio::test]
async fn codes_are_classified_and_never_quote_the_number() {
    let (_twilio, channel) = started().await;
    for (number, whose) in [
        ("+33612340000", Whose::Address),
        ("+33612340001", Whose::Address),
        ("+15005550000", Whose::Us),
    ] {
        let outcome = sent_to(&channel, number).await;
        assert!(
            matches!(&outcome, Outcome::Refused { fault, .. } if *fault == whose),
            "{outcome:?}"
        );
    }
    let outcome = sent_to(&channel, "+33612340002").await;
    assert!(matches!(&outcome, Outcome::Later { why, .. } if why.contains("99999")), "{outcome:?}");
    let outcome = sent_to(&channel, "+33612340003").await;
    assert!(matches!(outcome, Outcome::SlowDown { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_wrong_token_makes_the_channel_wait() {
    let twilio = Twilio::default();
    let mut config = config(twilio.start().await);
    config.auth_token = "00000000000000000000000000000000".to_owned().into();
    let channel = sms(ProviderConfig::Twilio(config));
    let outcome = sent_to(&channel, NUMBER).await;
    assert!(matches!(outcome, Outcome::SlowDown { until_ms, .. } if until_ms == NOW_MS + 60_000));
    assert!(twilio.messages.lock().unwrap().is_empty());
    assert!(channel.probe().await.unwrap_err().contains("401"));
}

#[tokio::test]
async fn faults_are_told_apart() {
    let (twilio, channel) = started().await;
    for (fault, slow) in [
        (Fault::Answer(500, &[], "boom"), None),
        (Fault::Answer(201, &[], "garbage"), None),
        (Fault::Answer(201, &[], r#"{"sid":""}"#), None),
        (Fault::Answer(503, &[], r#"{"code":20503}"#), None),
        (Fault::Hang, None),
        (Fault::Answer(429, &[("retry-after", "3")], r#"{"code":20429}"#), Some(3_000)),
        (Fault::Answer(429, &[], "not even JSON"), Some(5_000)),
        (Fault::Answer(400, &[], r#"{"code":30001}"#), Some(5_000)),
    ] {
        twilio.script.next(fault);
        let outcome = sent_to(&channel, NUMBER).await;
        match slow {
            None => assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}"),
            Some(wait) => assert!(
                matches!(outcome, Outcome::SlowDown { until_ms, .. } if until_ms == NOW_MS + wait),
                "{outcome:?}"
            ),
        }
    }
    assert!(twilio.messages.lock().unwrap().is_empty());
}

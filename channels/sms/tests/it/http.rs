use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use portevoix_contract::{Channel, Fault as Whose, Outcome};
use portevoix_sms::{
    BodyKind, HttpAuth, HttpConfig, HttpMethod, HttpRule, ProviderConfig, Sms, SmsConfig, Verdict,
};

use crate::harness::{Fault, NUMBER, Script, TEXT, answer, outbound, send, serve, sms};

const KEY: &str = "a-very-secret-key";

type Seen = (Method, String, BTreeMap<String, String>, String);

#[derive(Clone, Default)]
struct Provider {
    script: Script,
    seen: Arc<Mutex<Vec<Seen>>>,
}

async fn take(
    State(provider): State<Provider>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = String::from_utf8(body.to_vec()).unwrap();
    provider.seen.lock().unwrap().push((method, uri.to_string(), headers, body));
    match provider.script.depart().await {
        Some(departed) => departed,
        None => answer(202, &[], r#"{"messages":[{"id":77,"code":0}]}"#),
    }
}

fn config(url: String) -> HttpConfig {
    HttpConfig {
        url,
        method: HttpMethod::Post,
        body: Some(
            r#"{"to": {{ to }}, "text": {{ text }}, "u": {{ unicode }}, "id": {{ id }},
                "ttl": {{ validity_seconds }}, "from": {{ from }}}"#
                .into(),
        ),
        body_kind: BodyKind::Json,
        headers: [("X-Api-Key".to_owned(), KEY.to_owned().into())].into(),
        auth: HttpAuth::None,
        secrets: BTreeMap::new(),
        from: Some("38123".into()),
        reference: Some("/messages/0/id".into()),
        accepted: vec![202],
        code: Some("/messages/0/code".into()),
        rules: vec![
            HttpRule { status: None, code: Some("4".into()), verdict: Verdict::Address },
            HttpRule { status: Some(409), code: None, verdict: Verdict::Message },
            HttpRule { status: Some(202), code: Some("9".into()), verdict: Verdict::SlowDown },
        ],
        inbound: None,
    }
}

async fn started(change: impl FnOnce(&mut HttpConfig)) -> (Provider, Sms) {
    let provider = Provider::default();
    let base = serve(Router::new().fallback(take).with_state(provider.clone())).await;
    let mut config = config(format!("{base}/send"));
    change(&mut config);
    (provider, sms(ProviderConfig::Http(Box::new(config))))
}

async fn sent(channel: &Sms) -> Outcome {
    send(channel, &outbound(), &[KEY]).await
}

fn last(provider: &Provider) -> Seen {
    provider.seen.lock().unwrap().pop().unwrap()
}

#[tokio::test]
async fn json_is_escaped_and_the_reference_found() {
    let (provider, channel) = started(|_| {}).await;
    assert_eq!(sent(&channel).await, Outcome::Accepted { reference: "77".into() });
    let (method, uri, headers, body) = last(&provider);
    assert_eq!((method, uri.as_str()), (Method::POST, "/send"));
    assert_eq!(headers["x-api-key"], KEY);
    assert_eq!(headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let expected = serde_json::json!({
        "to": NUMBER, "text": TEXT, "u": false, "id": outbound().id, "ttl": 3600, "from": "38123"
    });
    assert_eq!(body, expected);
    assert!(channel.probe().await.unwrap().contains("nothing was sent"));
}

#[tokio::test]
async fn forms_and_queries_are_escaped_too() {
    let (provider, channel) = started(|config| {
        config.body = Some("to={{ to }}&text={{ text }}&key={{ secrets.key }}".into());
        config.body_kind = BodyKind::Form;
        config.secrets.insert("key".into(), KEY.to_owned().into());
        config.auth = HttpAuth::Bearer { token: "bearer-token".to_owned().into() };
        config.reference = None;
    })
    .await;
    assert_eq!(sent(&channel).await, Outcome::Accepted { reference: outbound().id });
    let (_, _, headers, body) = last(&provider);
    assert_eq!(headers["authorization"], "Bearer bearer-token");
    let form: Vec<(String, String)> =
        form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let expected = [("to", NUMBER), ("text", TEXT), ("key", KEY)];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let (provider, channel) = started(|config| {
        config.method = HttpMethod::Get;
        config.body = None;
        config.url.push_str("?to={{ to }}&text={{ text }}");
        config.auth = HttpAuth::Basic { username: "mel".into(), password: "pw".to_owned().into() };
    })
    .await;
    assert!(matches!(sent(&channel).await, Outcome::Accepted { .. }));
    let (method, uri, headers, body) = last(&provider);
    assert_eq!((method, body.as_str()), (Method::GET, ""));
    assert_eq!(headers["authorization"], "Basic bWVsOnB3");
    let query = uri.split_once('?').unwrap().1;
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(pairs[1], ("text".to_owned(), TEXT.to_owned()));
}

#[tokio::test]
async fn rules_come_before_the_status() {
    type Right = fn(&Outcome) -> bool;
    let (provider, channel) = started(|_| {}).await;
    let table: [(Fault, Right); 8] = [
        (Fault::Answer(202, &[], r#"{"messages":[{"code":4}]}"#), |outcome| {
            matches!(outcome, Outcome::Refused { fault: Whose::Address, .. })
        }),
        (Fault::Answer(409, &[], ""), |outcome| {
            matches!(outcome, Outcome::Refused { fault: Whose::Message, .. })
        }),
        (Fault::Answer(202, &[], r#"{"messages":[{"code":"9"}]}"#), |outcome| {
            matches!(outcome, Outcome::SlowDown { .. })
        }),
        (Fault::Answer(401, &[], ""), |outcome| matches!(outcome, Outcome::SlowDown { .. })),
        (Fault::Answer(500, &[], ""), |outcome| matches!(outcome, Outcome::Later { .. })),
        (Fault::Answer(202, &[], "{}"), |outcome| matches!(outcome, Outcome::Later { .. })),
        (Fault::Answer(200, &[], r#"{"messages":[{"id":1}]}"#), |outcome| {
            matches!(outcome, Outcome::Later { .. })
        }),
        (Fault::Hang, |outcome| matches!(outcome, Outcome::Later { .. })),
    ];
    for (position, (fault, right)) in table.into_iter().enumerate() {
        provider.script.next(fault);
        let outcome = sent(&channel).await;
        assert!(right(&outcome), "{position}: {outcome:?}");
    }
}

#[test]
fn a_description_that_can_not_work_is_refused_at_once() {
    let wrong = |change: fn(&mut HttpConfig)| {
        let mut config = config("https://sms.example/send".into());
        change(&mut config);
        let config = SmsConfig::new(ProviderConfig::Http(Box::new(config)), Default::default());
        config.validate().unwrap_err().setting
    };
    assert_eq!(wrong(|config| config.url = "http://sms.example/".into()), "http.url");
    assert_eq!(wrong(|config| config.url.push_str("?x={{ nothing }}")), "http.url");
    assert_eq!(wrong(|config| config.body = Some(r#"{"t":"{{ text }}"}"#.into())), "http.body");
    assert_eq!(wrong(|config| config.body = Some("{{ text".into())), "http.body");
    assert_eq!(wrong(|config| config.method = HttpMethod::Get), "http.body");
    assert_eq!(wrong(|config| config.code = None), "http.rules");
    let mut config = config(format!("https://sms.example/?key={KEY}"));
    config.secrets.insert("key".into(), KEY.to_owned().into());
    assert!(!format!("{config:?}").contains(KEY));
}

/// Settings as an operator writes them, through the same deserializer.
#[test]
fn senders_and_addresses_follow_the_rules_of_the_field() {
    use portevoix_sms::{OvhConfig, ShapeConfig, TwilioConfig};
    let ovh = |more: &str, two_way: bool| {
        let text = format!(
            r#"{{"application_key": "k", "application_secret": "s", "consumer_key": "c",
                 "service": "sms-xx1-1" {more}}}"#
        );
        let ovh: OvhConfig = serde_json::from_str(&text).unwrap();
        let stop_number = (!two_way).then(|| "38123".to_owned());
        let shape = ShapeConfig { two_way, stop_number, ..ShapeConfig::default() };
        SmsConfig::new(ProviderConfig::Ovh(ovh), shape).validate().map_err(|wrong| wrong.setting)
    };
    for (sender, two_way, expected) in [
        ("MEL", false, Ok(())),
        ("MEL", true, Err("ovh.sender")),
        ("38123", true, Ok(())),
        ("LilleMetropole", false, Err("ovh.sender")),
        ("Lille Sud", false, Err("ovh.sender")),
        ("0612345678", true, Err("ovh.sender")),
        ("+33712345678", true, Err("ovh.sender")),
        ("12345678901", false, Err("ovh.sender")),
    ] {
        assert_eq!(ovh(&format!(r#", "sender": "{sender}""#), two_way), expected, "{sender}");
    }
    assert_eq!(ovh("", true), Err("ovh.sender"));
    assert_eq!(ovh(r#", "sender_for_response": true"#, true), Ok(()));
    let token = r#", "sender_for_response": true, "receipt_token": "short""#;
    assert_eq!(ovh(token, true), Err("ovh.receipt_token"));
    let plain = r#", "sender_for_response": true, "endpoint": "http://ovh.example/1.0""#;
    assert_eq!(ovh(plain, true), Err("ovh.endpoint"));

    let twilio: TwilioConfig =
        serde_json::from_str(r#"{"account_sid": "AC1", "auth_token": "t"}"#).unwrap();
    assert!(!format!("{twilio:?}").contains("\"t\""));
    let shape = ShapeConfig { two_way: false, ..ShapeConfig::default() };
    let config = SmsConfig::new(ProviderConfig::Twilio(twilio.clone()), shape);
    assert_eq!(config.validate().unwrap_err().setting, "stop_number");
    let config = SmsConfig::new(ProviderConfig::Twilio(twilio), ShapeConfig::default());
    assert_eq!(config.validate().unwrap_err().setting, "twilio.from");
}

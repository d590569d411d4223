use portevoix_contract::{Hook, HookError, HookRequest};
use portevoix_telegram::{KICKED, SetUpError, TelegramHook, read_update};
use serde_json::{Value, json};

const SECRET: &str = "s3cret_s3cret";
const NOW: i64 = 1_795_435_260_123;

fn hook() -> TelegramHook {
    TelegramHook::new(&SECRET.to_owned().into(), "lille_bot").unwrap()
}

fn request(secret: Option<&str>, body: &str) -> HookRequest {
    let header = |secret: &str| ("x-telegram-bot-api-secret-token".to_owned(), secret.to_owned());
    HookRequest {
        method: "POST".to_owned(),
        url: "https://lille.example/hooks/telegram".to_owned(),
        query: Vec::new(),
        headers: secret.map(header).into_iter().collect(),
        body: body.as_bytes().to_vec(),
        received_at_ms: NOW,
    }
}

fn message(extra: &Value) -> Value {
    let mut message = json!({
        "message_id": 12, "date": 1_795_435_200, "chat": { "id": 42, "type": "private" },
        "from": { "id": 42, "is_bot": false, "first_name": "Zoé" },
    });
    let (Value::Object(all), Value::Object(extra)) = (&mut message, extra) else { panic!() };
    all.extend(extra.clone());
    message
}

#[test]
fn only_the_right_secret_is_read() {
    let body = json!({ "update_id": 7, "message": message(&json!({ "text": "Oui" })) }).to_string();
    for secret in [None, Some(""), Some("s3cret_s3cre"), Some("s3cret_s3crets"), Some("é")] {
        let read = hook().read(&request(secret, &body));
        assert_eq!(read, Err(HookError::NotSigned), "{secret:?}");
    }
    let read = hook().read(&request(Some(SECRET), &body)).unwrap();
    assert_eq!(read.inbound[0].raw, body.as_bytes());
    assert_eq!(read.inbound[0].text.as_deref(), Some("Oui"));
    assert_eq!(read.answer.0, "");
    for body in ["", "{", "[]", "{\"message\":{}}"] {
        let read = hook().read(&request(Some(SECRET), body));
        assert!(matches!(read, Err(HookError::NotUnderstood(_))), "{body}");
    }
    for secret in [String::new(), "a b".to_owned(), "a".repeat(257)] {
        let error = TelegramHook::new(&secret.into(), "lille_bot").err();
        assert_eq!(error, Some(SetUpError::WebhookSecret));
    }
}

#[test]
fn a_pressed_button_is_answered_in_the_webhook_s_own_answer() {
    let body = json!({ "update_id": 8, "callback_query": {
        "id": "cb1", "from": { "id": 42, "is_bot": false, "language_code": "nl" },
        "message": message(&json!({ "text": "Een park" })), "data": "mfrggzdf:oui",
    }});
    let read = hook().read(&request(Some(SECRET), &body.to_string())).unwrap();
    let inbound = &read.inbound[0];
    assert_eq!(inbound.choice.as_deref(), Some("oui"));
    assert_eq!(inbound.in_reply_to.as_deref(), Some("42:12"));
    assert_eq!((inbound.from.as_str(), inbound.to.as_str()), ("42", "lille_bot"));
    assert_eq!(inbound.received_at_ms, NOW);
    let answer: Value = serde_json::from_str(&read.answer.0).unwrap();
    assert_eq!(answer["method"], "answerCallbackQuery");
    assert_eq!(answer["callback_query_id"], "cb1");
    assert_eq!(answer["text"], "Genoteerd, dank u.");
}

#[test]
fn each_kind_of_update_is_what_it_says() {
    let read = |update: Value| read_update(&update, "lille_bot", NOW).unwrap();
    let reply = message(&json!({ "text": "Oui", "reply_to_message": {
        "message_id": 9, "date": 0, "chat": { "id": 42 } } }));
    let inbound = read(json!({ "update_id": 1, "message": reply })).inbound.unwrap();
    assert_eq!(inbound.in_reply_to.as_deref(), Some("42:9"));
    assert_eq!(inbound.reference.as_deref(), Some("42:12"));
    assert_eq!((inbound.provider_id.as_str(), inbound.edited), ("1", false));
    assert_eq!(inbound.received_at_ms, 1_795_435_200_000);

    let edited = message(&json!({ "text": "Non", "edit_date": 1_795_435_230 }));
    let inbound = read(json!({ "update_id": 2, "edited_message": edited })).inbound.unwrap();
    assert!(inbound.edited);
    assert_eq!(inbound.reference.as_deref(), Some("42:12"));
    assert_eq!(inbound.received_at_ms, 1_795_435_230_000);

    let photo = message(&json!({ "photo": [{ "file_id": "x" }], "caption": "Ici" }));
    let inbound = read(json!({ "update_id": 3, "message": photo })).inbound.unwrap();
    assert_eq!(inbound.text.as_deref(), Some("Ici"));
    let voice = message(&json!({ "voice": { "file_id": "x" } }));
    let inbound = read(json!({ "update_id": 4, "message": voice })).inbound.unwrap();
    assert_eq!(inbound.text, None);
    assert!(String::from_utf8(inbound.raw).unwrap().contains("file_id"));

    let start = message(&json!({ "text": "/start k3x9Q_-" }));
    let inbound = read(json!({ "update_id": 5, "message": start })).inbound.unwrap();
    assert_eq!(inbound.text.as_deref(), Some("/start k3x9Q_-"));

    let member = |status: &str| {
        json!({ "update_id": 6, "my_chat_member": {
        "chat": { "id": 42 }, "date": 1_795_435_200, "new_chat_member": { "status": status } } })
    };
    assert_eq!(read(member("kicked")).inbound.unwrap().text.as_deref(), Some(KICKED));
    assert_eq!(read(member("member")).inbound, None);

    let pinned = message(&json!({ "pinned_message": { "message_id": 3 } }));
    assert_eq!(read(json!({ "update_id": 7, "message": pinned })).inbound, None);
    let bot = message(&json!({ "text": "x", "from": { "id": 9, "is_bot": true } }));
    assert_eq!(read(json!({ "update_id": 8, "message": bot })).inbound, None);
    for odd in [json!({}), json!(null), json!({ "chat": 3, "text": 4 }), json!([1])] {
        assert_eq!(read(json!({ "update_id": 9, "message": odd })).inbound, None);
    }
}

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use portevoix_contract::{Hook, HookError, HookRead, HookRequest, ReceiptState};
use portevoix_sms::{
    HookAuth, HookFormat, HttpConfig, HttpInboundConfig, HttpReceiptConfig, ProviderConfig,
    SignatureEncoding, TwilioConfig,
};
use ring::hmac;

use crate::{harness::sms, ovh};

const NOW_MS: i64 = 1_795_424_400_000;
const TOKEN: &str = "12345678901234567890123456789012";

/// Bodies and signatures as PyPI twilio 9.13.0 makes them
/// (`RequestValidator(TOKEN).compute_signature`).
const URL: &str = "https://voix.example/hooks/sms/twilio?a=b&c=d";
const INBOUND: &str = "MessageSid=SM0123456789abcdef0123456789abcdef\
    &AccountSid=AC00000000000000000000000000000000&From=%2B33612345678&To=38123\
    &Body=Oui%2C+c%E2%80%99est+tr%C3%A8s+bien+%26+%C3%A0+refaire+%F0%9F%8C%B3+%2B1&NumMedia=0\
    &NumSegments=1&FromCountry=FR&Zeta=&Many=b&Many=a&Many=b";
const INBOUND_SIGNATURE: &str = "2L4jxKH/ihQPLsbtBZogrUvW2VM=";
const STATUS_URL: &str = "https://voix.example/hooks/sms/twilio";
const STATUS: &str = "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005&AccountSid=AC0";
const STATUS_SIGNATURE: &str = "dFiEnvQ/ZQ/vYDVnA4sEaG6Y+0k=";
/// Over the same, with `:443` in the URL.
const STATUS_SIGNATURE_WITH_PORT: &str = "DCAFk1NXZ8wc2xGfxuPKrFmgnx0=";

fn request(url: &str, headers: &[(&str, &str)], body: &str) -> HookRequest {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    HookRequest {
        method: if body.is_empty() { "GET" } else { "POST" }.into(),
        url: url.into(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: body.into(),
        received_at_ms: NOW_MS,
    }
}

fn twilio() -> Arc<dyn Hook> {
    let config = TwilioConfig {
        api_url: "https://api.twilio.com".into(),
        account_sid: "AC0".into(),
        auth_token: TOKEN.to_owned().into(),
        from: Some("38123".into()),
        messaging_service_sid: None,
        status_callback: None,
    };
    sms(ProviderConfig::Twilio(config)).hooks().remove(0)
}

fn twilio_read(url: &str, signature: &str, body: &str) -> Result<HookRead, HookError> {
    twilio().read(&request(url, &[("x-twilio-signature", signature)], body))
}

/// An own way to the signature, for forms the vectors don't cover.
fn twilio_signature(body: &str) -> String {
    let fields: BTreeMap<String, String> =
        form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let signed = fields.iter().fold(STATUS_URL.to_owned(), |all, (k, v)| all + k + v);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

#[test]
fn twilios_own_library_signs_what_we_accept() {
    let read = twilio_read(URL, INBOUND_SIGNATURE, INBOUND).unwrap();
    assert_eq!(read.answer.1, "text/xml");
    assert!(read.answer.0.ends_with("<Response></Response>"));
    assert!(read.receipts.is_empty());
    let inbound = &read.inbound[0];
    assert_eq!(inbound.provider_id, "SM0123456789abcdef0123456789abcdef");
    assert_eq!((inbound.from.as_str(), inbound.to.as_str()), ("+33612345678", "38123"));
    assert_eq!(inbound.text.as_deref(), Some("Oui, c’est très bien & à refaire 🌳 +1"));
    assert_eq!(inbound.raw, INBOUND.as_bytes());
    // the same again reads the same: the daemon knows it by its provider id
    assert_eq!(twilio_read(URL, INBOUND_SIGNATURE, INBOUND).unwrap(), read);

    for signature in [STATUS_SIGNATURE, STATUS_SIGNATURE_WITH_PORT] {
        let read = twilio_read(STATUS_URL, signature, STATUS).unwrap();
        let receipt = &read.receipts[0];
        assert_eq!(
            (receipt.reference.as_str(), receipt.why.as_str()),
            ("SM1", "undelivered 30005")
        );
        assert_eq!(receipt.state, ReceiptState::AddressDead);
    }
}

#[test]
fn nothing_else_is_accepted() {
    let forged = INBOUND.replace("Oui", "Non");
    let more = format!("{INBOUND}&Extra=1");
    for (url, signature, body) in [
        (URL, INBOUND_SIGNATURE, forged.as_str()),
        (URL, INBOUND_SIGNATURE, more.as_str()),
        (STATUS_URL, INBOUND_SIGNATURE, INBOUND),
        ("https://evil.example/hooks/sms/twilio?a=b&c=d", INBOUND_SIGNATURE, INBOUND),
        (URL, STATUS_SIGNATURE, INBOUND),
        (URL, "", INBOUND),
        (URL, "not base64!", INBOUND),
    ] {
        assert_eq!(twilio_read(url, signature, body), Err(HookError::NotSigned));
    }
    let unsigned = twilio().read(&request(URL, &[], INBOUND));
    assert_eq!(unsigned, Err(HookError::NotSigned));
}

#[test]
fn twilio_statuses_are_a_table() {
    for (status, state) in [
        ("queued", ReceiptState::Buffered),
        ("sent", ReceiptState::Buffered),
        ("delivered", ReceiptState::Delivered),
        ("failed&ErrorCode=30008", ReceiptState::Failed),
        ("undelivered&ErrorCode=30003", ReceiptState::Failed),
        ("undelivered&ErrorCode=21610", ReceiptState::AddressDead),
        ("teleported", ReceiptState::Unknown),
    ] {
        let body = format!("MessageSid=SM1&MessageStatus={status}");
        let read = twilio_read(STATUS_URL, &twilio_signature(&body), &body).unwrap();
        assert_eq!(read.receipts[0].state, state, "{status}");
    }
    let body = "MessageStatus=sent";
    let read = twilio_read(STATUS_URL, &twilio_signature(body), body);
    assert!(matches!(read, Err(HookError::NotUnderstood(_))));
}

#[test]
fn ovh_receipts_need_the_secret_of_the_address() {
    let config = ovh::config("https://eu.api.ovh.com/1.0".into());
    let hook = sms(ProviderConfig::Ovh(config)).hooks().remove(0);
    assert_eq!(hook.path(), "sms/ovh");
    let read = |query: &str| {
        hook.read(&request(&format!("https://voix.example/hooks/sms/ovh?{query}"), &[], ""))
    };
    for (dlr, state) in [
        ("1", ReceiptState::Delivered),
        ("2", ReceiptState::Failed),
        ("4", ReceiptState::Buffered),
        ("8", ReceiptState::Buffered),
        ("16", ReceiptState::Failed),
        ("3", ReceiptState::Unknown),
        ("", ReceiptState::Unknown),
    ] {
        let read = read(&format!("token=a-token-of-16-chars&id=987654321&dlr={dlr}")).unwrap();
        assert_eq!(read.receipts[0].state, state, "{dlr}");
        assert_eq!(read.receipts[0].reference, "987654321");
    }
    for query in ["id=1&dlr=1", "token=&id=1&dlr=1", "token=a-token-of-16-charz&id=1&dlr=1"] {
        assert_eq!(read(query), Err(HookError::NotSigned));
    }
    let incomplete = read("token=a-token-of-16-chars&dlr=1");
    assert!(matches!(incomplete, Err(HookError::NotUnderstood(_))));
}

fn http_hook(auth: HookAuth, format: HookFormat) -> Arc<dyn Hook> {
    let name = |name: &str| match format {
        HookFormat::Json => format!("/{name}"),
        HookFormat::Form => name.to_owned(),
    };
    let inbound = HttpInboundConfig {
        auth,
        format,
        id: name("id"),
        from: name("from"),
        to: Some(name("to")),
        text: name("text"),
        receipt: Some(HttpReceiptConfig {
            reference: name("ref"),
            status: name("status"),
            states: [("DELIVRD".to_owned(), ReceiptState::Delivered)].into(),
        }),
    };
    let config: HttpConfig =
        serde_json::from_str(r#"{"url": "https://sms.example/?to={{ to }}", "method": "GET"}"#)
            .unwrap();
    let config = HttpConfig { inbound: Some(inbound), ..config };
    sms(ProviderConfig::Http(Box::new(config))).hooks().remove(0)
}

#[test]
fn a_described_hook_checks_its_secret_header() {
    let auth =
        HookAuth::Header { name: "X-Secret".into(), value: "sixteen-characters".to_owned().into() };
    let hook = http_hook(auth, HookFormat::Form);
    let body = "id=7&from=0692123456&to=38123&text=Oui+%21";
    let read = |secret: &str, body: &str| {
        hook.read(&request("https://voix.example/", &[("x-secret", secret)], body))
    };
    let inbound = read("sixteen-characters", body).unwrap().inbound.remove(0);
    assert_eq!((inbound.from.as_str(), inbound.text.as_deref()), ("+262692123456", Some("Oui !")));
    assert_eq!(read("sixteen-character", body), Err(HookError::NotSigned));
    let receipt = |status: &str| {
        read("sixteen-characters", &format!("ref=77&status={status}")).unwrap().receipts.remove(0)
    };
    assert_eq!(receipt("DELIVRD").state, ReceiptState::Delivered);
    assert_eq!(receipt("LOST").state, ReceiptState::Unknown);
}

#[test]
fn a_described_hook_checks_its_hmac() {
    let key = "another-sixteen-characters";
    let auth = HookAuth::HmacSha256 {
        header: "X-Signature".into(),
        key: key.to_owned().into(),
        encoding: SignatureEncoding::Hex,
        prefix: "sha256=".into(),
    };
    let hook = http_hook(auth, HookFormat::Json);
    let sign = |body: &str| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body.as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256={hex}")
    };
    let read = |signature: &str, body: &str| {
        hook.read(&request("https://voix.example/", &[("x-signature", signature)], body))
    };
    let body = r#"{"id": 7, "from": "+33612345678", "text": "2"}"#;
    let inbound = read(&sign(body), body).unwrap().inbound.remove(0);
    assert_eq!((inbound.provider_id.as_str(), inbound.to.as_str()), ("7", ""));
    // a replayed signature over another body, none, and one without its prefix
    let other = body.replace('2', "1");
    for signature in [&sign(body), "", &sign(&other)[7..]] {
        assert_eq!(read(signature, &other), Err(HookError::NotSigned));
    }
    assert!(matches!(read(&sign("[]"), "[]"), Err(HookError::NotUnderstood(_))));
    assert!(matches!(read(&sign("nonsense"), "nonsense"), Err(HookError::NotUnderstood(_))));
}

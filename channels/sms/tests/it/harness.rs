use std::{
    collections::VecDeque,
    fmt::Debug,
    sync::{Arc, Mutex, Once},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Response, StatusCode},
};
use portevoix_contract::{Channel, Outbound, Outcome};
use portevoix_sms::{ProviderConfig, ShapeConfig, Sms, SmsConfig, SmsContent};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

pub const NUMBER: &str = "+33612345678";
pub const TEXT: &str = "Votre réponse est arrivée. 1 & 2 = \"oui\" + €";
pub const NOW_MS: i64 = 1_795_424_400_000;

/// How a fake departs from answering as it should, once each.
pub enum Fault {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Takes the request and never answers.
    Hang,
}

#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<VecDeque<Fault>>>);

impl Script {
    pub fn next(&self, fault: Fault) {
        self.0.lock().unwrap().push_back(fault);
    }

    /// The answer to give instead of the right one, if any.
    pub async fn depart(&self) -> Option<Response<Body>> {
        let fault = self.0.lock().unwrap().pop_front()?;
        match fault {
            Fault::Answer(status, headers, body) => Some(answer(status, headers, body)),
            Fault::Hang => std::future::pending().await,
        }
    }
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// Serves on a free port; the base address.
pub async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

pub fn sms(provider: ProviderConfig) -> Sms {
    static TLS: Once = Once::new();
    TLS.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    let mut config = SmsConfig::new(provider, ShapeConfig::default());
    config.timeout = Duration::from_millis(400);
    Sms::new(config).unwrap()
}

pub fn outbound() -> Outbound<SmsContent> {
    Outbound {
        id: "delivery-0198f3a2-333344445555".into(),
        to: NUMBER.into(),
        content: SmsContent::of(TEXT.into(), false),
        now_ms: NOW_MS,
        deadline_ms: Some(NOW_MS + 3_600_000),
    }
}

/// Sends, and holds every log line and the outcome against what may never be shown.
pub async fn send(sms: &Sms, outbound: &Outbound<SmsContent>, secrets: &[&str]) -> Outcome {
    let logs = Logs::default();
    let guard = tracing::subscriber::set_default(logs.clone());
    let outcome = sms.send(outbound).await;
    drop(guard);
    let shown = format!("{}\n{outcome:?}", logs.0.lock().unwrap());
    for secret in [&[NUMBER, &NUMBER[1..], TEXT, "Votre r"], secrets].concat() {
        assert!(!shown.contains(secret), "{secret} shows in {shown}");
    }
    outcome
}

/// Every event of every level, as text.
#[derive(Clone, Default)]
pub struct Logs(pub Arc<Mutex<String>>);

impl Subscriber for Logs {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut Writer(&self.0));
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, record: &span::Record<'_>) {
        record.record(&mut Writer(&self.0));
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Writer(&self.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Writer<'a>(&'a Mutex<String>);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.lock().unwrap().push_str(&format!("{}={value:?}\n", field.name()));
    }
}

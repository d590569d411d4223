//! A server on a port of its own, with a database in a folder of its own, for tests.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portevoix_contract::{Hook, Inbound, NotStored, Receipt, Sink, Stored};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Parts, router};
use crate::{
    bus::{Bells, Embedded},
    clock::Clock,
    config::Settings,
    model::seal::{Sealer, secret_hash},
    render::Renderer,
    store::{Store, TokenRow},
    telemetry,
};

/// Keeps what it is handed, or refuses all of it.
#[derive(Default)]
pub struct Kept {
    pub inbound: Mutex<Vec<Inbound>>,
    pub receipts: Mutex<Vec<Receipt>>,
    pub refuse: Mutex<bool>,
}

#[async_trait]
impl Sink for Kept {
    async fn inbound(&self, inbound: Inbound) -> Result<Stored, NotStored> {
        if *self.refuse.lock().unwrap() {
            return Err(NotStored("no room".to_owned()));
        }
        self.inbound.lock().unwrap().push(inbound);
        Ok(Stored::New)
    }

    async fn receipt(&self, receipt: Receipt) -> Result<(), NotStored> {
        if *self.refuse.lock().unwrap() {
            return Err(NotStored("no room".to_owned()));
        }
        self.receipts.lock().unwrap().push(receipt);
        Ok(())
    }
}

/// Stops with its drop.
pub struct Server {
    pub parts: Arc<Parts>,
    pub sink: Arc<Kept>,
    pub url: String,
    pub http: reqwest::Client,
    _folder: TempDir,
}

/// 2026-11-23T12:00:00Z.
pub const NOW: i64 = 1_795_435_200_000;
/// Opens everything.
pub const TOKEN: &str = "jeton-de-test";

impl Server {
    pub async fn start() -> Self {
        Self::with_hooks(Vec::new()).await
    }

    pub async fn with_hooks(hooks: Vec<Arc<dyn Hook>>) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings::demo(folder.path(), Some(address));
        let clock = Clock::fixed(NOW);
        let file = folder.path().join("portevoix.db");
        let store = Store::connect(&format!("sqlite://{}", file.display()), 4).await.unwrap();
        store.migrate().await.unwrap();
        let sink = Arc::new(Kept::default());
        let parts = Arc::new(Parts {
            bus: Arc::new(Embedded::new(store.clone(), clock.clone())),
            bells: Bells::default(),
            sealer: Arc::new(Sealer::new(&[7; 32], clock.clone())),
            renderer: Arc::new(Renderer::new(None).unwrap()),
            channels: Vec::new(),
            hooks,
            sink: sink.clone(),
            settings,
            letterboxes: None,
            metrics: telemetry::metrics_handle().unwrap(),
            stop: CancellationToken::new(),
            store,
            clock,
        });
        let service = router(Arc::clone(&parts))
            .into_make_service_with_connect_info::<std::net::SocketAddr>();
        let stop = parts.stop.clone();
        tokio::spawn(async move {
            axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
        });
        // a provider may have been installed by another test
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let server = Self { parts, sink, url: format!("http://{address}"), http, _folder: folder };
        server.token(TOKEN, "events:write contributions:read subscribers:write").await;
        server
    }

    pub async fn token(&self, secret: &str, scopes: &str) {
        let row = TokenRow {
            hash: secret_hash(secret),
            name: "test".to_owned(),
            scopes: scopes.to_owned(),
            created_at: NOW,
        };
        self.parts.store.add_token(&row).await.unwrap();
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    /// What is behind a path: status and text.
    pub async fn read(&self, path: &str) -> (u16, String) {
        let response = self.get(path).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// As intake would: parsed, stored, ready to be planned.
    pub async fn take_event(&self, event: &serde_json::Value) -> crate::store::EventRow {
        let event = crate::intake::schema::parse_structured(event.to_string().as_bytes()).unwrap();
        let now = self.parts.clock.now_ms();
        let row = crate::store::NewEvent {
            source: event.source.clone(),
            event_id: event.id.clone(),
            kind: event.kind.name().to_owned(),
            consultation: event.data.consultation.id.clone(),
            code: format!("code{}", self.parts.clock.id()),
            body: serde_json::to_string(&event).unwrap(),
            received_at: now,
            deadline: crate::intake::deadline(&event),
        };
        let consultation = crate::intake::consultation_row(&event, now);
        assert!(self.parts.store.store_event(&row, &consultation).await.unwrap());
        self.parts.store.event_by_code(&row.code).await.unwrap().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.parts.stop.cancel();
    }
}

/// The contract's own example, with what a test needs besides.
pub fn opened(id: &str) -> serde_json::Value {
    serde_json::json!({
        "specversion": "1.0", "id": id, "source": "/mel/concertation",
        "type": "fr.lillemetropole.participation.consultation.opened",
        "time": "2026-11-23T09:00:00+01:00", "datacontenttype": "application/json",
        "data": {
            "consultation": {
                "id": "parc-sud", "title": { "fr": "Un parc au sud de Lille", "nl": "Een park" },
                "opens": "2026-11-23", "closes": "2027-01-15",
                "contact": { "service": "Concertation et citoyenneté", "phone": "03 20 21 22 23" },
            },
            "audience": { "communes": ["59350"] },
            "message": {
                "fr": {
                    "title": "Un parc pour <tous> {{ 7 * 7 }}",
                    "body": "## Le projet\n\nDeux **hectares** & un [plan](https://example.org/plan).\n\n- arbres\n- jeux\n\n<script>alert(1)</script> {% raw %}",
                    "plain": { "title": "Un nouveau parc", "lines": ["Il y aura un parc.", "Vous pouvez donner votre avis."] },
                },
                "nl": { "title": "Een park voor iedereen", "body": "Twee hectare." },
            },
            "question": {
                "text": { "fr": "Que préférez-vous ?" },
                "options": [
                    { "key": "1", "label": { "fr": "Des jeux" } },
                    { "key": "2", "label": { "fr": "Des arbres" } },
                ],
            },
        },
    })
}

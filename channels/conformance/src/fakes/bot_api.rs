//! A strict fake of Telegram's Bot API: <https://core.telegram.org/bots/api>.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, routing::post};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::bot_server::call;

/// What goes wrong, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BotFault {
    /// A refusal in the API's own form, such as `400`, `Bad Request: chat not found`.
    Api { code: u16, description: String },
    /// 429 with `retry_after`, in seconds.
    RetryAfter(u32),
    /// 400 with `migrate_to_chat_id`.
    MigrateTo(i64),
    /// 200 with something that is not JSON.
    Garbage,
    /// 502 with a page of HTML.
    Down,
    /// The request is never answered.
    Hang,
    /// The request is carried out, and the answer is a 502.
    AnswerLost,
}

/// A message the bot has sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SentByBot {
    pub message_id: i64,
    pub chat_id: i64,
    /// After entities are parsed.
    pub text: String,
    /// The request's parameters as they came.
    pub params: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub url: String,
    pub secret: Option<String>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) next_update: i64,
    pub(super) next_message: i64,
    pub(super) updates: VecDeque<Value>,
    pub(super) confirmed: i64,
    pub(super) polls: u64,
    pub(super) sent: Vec<SentByBot>,
    pub(super) faults: HashMap<String, VecDeque<BotFault>>,
    pub(super) requests: HashMap<String, u64>,
    pub(super) blocked: HashSet<i64>,
    pub(super) unknown: HashSet<i64>,
    pub(super) callbacks: HashSet<String>,
    pub(super) answered: Vec<(String, String)>,
    pub(super) webhook: Option<Webhook>,
    pub(super) flood_after: Option<u64>,
}

pub(super) struct Shared {
    pub(super) token: String,
    pub(super) inner: Mutex<Inner>,
    pub(super) changed: Notify,
}

/// The server; it ends when dropped.
pub struct BotApi {
    url: String,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for BotApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl BotApi {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            token: "123456789:AAtestTestTestTestTestTestTestTestTes".to_owned(),
            inner: Mutex::new(Inner { next_update: 700, next_message: 100, ..Inner::default() }),
            changed: Notify::new(),
        });
        let routes =
            Router::new().route("/{bot}/{method}", post(call)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.unwrap_or_else(|error| panic!("no free port: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Self { url: format!("http://{address}"), shared, server }
    }

    /// For `api_url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub fn token(&self) -> &str {
        &self.shared.token
    }

    /// The next `times` calls of `method` (`sendMessage` …) go wrong so.
    pub fn fail_next(&self, method: &str, fault: &BotFault, times: usize) {
        let mut inner = self.shared.lock();
        let faults = inner.faults.entry(method.to_lowercase()).or_default();
        faults.extend(std::iter::repeat_n(fault.clone(), times));
    }

    /// After so many more messages, one `sendMessage` meets a 429.
    pub fn flood_after(&self, messages: u64) {
        self.shared.lock().flood_after = Some(messages);
    }

    /// The person has blocked the bot: 403.
    pub fn block(&self, chat: i64) {
        self.shared.lock().blocked.insert(chat);
    }

    /// Nobody ever wrote to the bot from there: 400.
    pub fn forget(&self, chat: i64) {
        self.shared.lock().unknown.insert(chat);
    }

    /// Queues an update; `update_id` is put in. Gives it back whole.
    pub fn push_update(&self, mut update: Value) -> Value {
        let mut inner = self.shared.lock();
        update["update_id"] = inner.next_update.into();
        inner.next_update += 1;
        if let Some(id) = update.pointer("/callback_query/id").and_then(Value::as_str) {
            inner.callbacks.insert(id.to_owned());
        }
        inner.updates.push_back(update.clone());
        drop(inner);
        self.shared.changed.notify_waiters();
        update
    }

    /// A person writes, perhaps in reply to a message of the bot. Gives the update.
    pub fn say(&self, chat: i64, text: &str, reply_to: Option<i64>) -> Value {
        let message_id = self.next_message();
        let mut message = person_message(chat, message_id);
        message["text"] = text.into();
        if let Some(above) = reply_to {
            message["reply_to_message"] = person_message(chat, above);
        }
        self.push_update(json!({ "message": message }))
    }

    /// A person presses a button under message `above`. Gives the update.
    pub fn press(&self, chat: i64, above: i64, data: &str) -> Value {
        let id = format!("cb{}", self.next_message());
        self.push_update(json!({ "callback_query": {
            "id": id, "from": person(chat), "message": person_message(chat, above),
            "chat_instance": "1", "data": data,
        }}))
    }

    fn next_message(&self) -> i64 {
        let mut inner = self.shared.lock();
        inner.next_message += 1;
        inner.next_message
    }

    /// Every message sent, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<SentByBot> {
        self.shared.lock().sent.clone()
    }

    /// Callback queries that were answered, with the text shown.
    #[must_use]
    pub fn answered_callbacks(&self) -> Vec<(String, String)> {
        self.shared.lock().answered.clone()
    }

    /// Updates below this id were confirmed by an offset.
    #[must_use]
    pub fn confirmed(&self) -> i64 {
        self.shared.lock().confirmed
    }

    /// How often a method was called, failures included.
    #[must_use]
    pub fn calls(&self, method: &str) -> u64 {
        self.shared.lock().requests.get(&method.to_lowercase()).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn webhook(&self) -> Option<Webhook> {
        self.shared.lock().webhook.clone()
    }

    /// A webhook that somebody set earlier.
    pub fn set_webhook(&self, webhook: Option<Webhook>) {
        self.shared.lock().webhook = webhook;
    }

    /// Waits until `reached` holds; asked again whenever something changed.
    pub async fn wait_until(&self, reached: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            if reached(self) {
                return;
            }
            changed.await;
        }
    }
}

fn person(id: i64) -> Value {
    json!({ "id": id, "is_bot": false, "first_name": "Zoé", "language_code": "fr" })
}

pub(super) fn person_message(chat: i64, message_id: i64) -> Value {
    json!({
        "message_id": message_id, "date": 1_795_435_200,
        "chat": { "id": chat, "type": "private", "first_name": "Zoé" }, "from": person(chat),
    })
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

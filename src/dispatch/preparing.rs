//! From a claimed delivery to the words and the opened address; or the reason why not.
//!
//! What the citizen chose is checked once more here, at the moment of sending (law 6).

use std::{
    collections::HashMap,
    str::FromStr,
    sync::{Arc, Mutex},
};

use portevoix_contract::{Language, Message, Outcome, Recipient, Register};

use crate::{
    model::{
        event::Event,
        notice::Letter,
        seal::{Purpose, Sealer},
        waiting::{FAR, PlainWait},
    },
    outbox::Hours,
    render::{Links, Rendered, Renderer, Variant},
    store::{Claimed, Store},
};

/// Where the gateway's own pages are.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Without a slash at the end.
    pub public_url: String,
}

impl Addresses {
    #[must_use]
    pub fn page(&self, code: &str) -> String {
        format!("{}/c/{code}", self.public_url)
    }

    #[must_use]
    pub fn unsubscribe(&self, token: &str) -> String {
        format!("{}/u/{token}", self.public_url)
    }

    #[must_use]
    pub fn citizen(&self, token: &str) -> String {
        format!("{}/me/{token}", self.public_url)
    }
}

/// Ready to go to the channel.
#[derive(Debug)]
pub struct Prepared {
    pub message: Arc<Message>,
    pub recipient: Recipient,
    /// Stable over attempts.
    pub id: String,
}

/// What became of an attempt.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The channel was asked.
    Tried(Outcome),
    /// It was not, and never will be.
    Decided { state: &'static str, reason: String },
    /// It was not, for now.
    Deferred { until: i64, reason: String },
}

/// Makes messages, each variant once.
pub struct Preparer {
    pub store: Store,
    pub renderer: Arc<Renderer>,
    pub sealer: Arc<Sealer>,
    pub addresses: Addresses,
    pub plain: PlainWait,
    cache: Mutex<HashMap<(i64, Variant), Rendering>>,
    events: Mutex<HashMap<i64, Arc<(Event, String)>>>,
}

#[derive(Clone)]
enum Rendering {
    Ready(Arc<Message>),
    AwaitsPlain,
}

/// Variants kept; an event has few, and only the events going out matter.
const KEPT: usize = 512;

impl Preparer {
    #[must_use]
    pub fn new(
        store: Store,
        renderer: Arc<Renderer>,
        sealer: Arc<Sealer>,
        addresses: Addresses,
        plain: PlainWait,
    ) -> Self {
        let (cache, events) = (Mutex::default(), Mutex::default());
        Self { store, renderer, sealer, addresses, plain, cache, events }
    }

    /// Forgets an event's words: its plain text has come.
    pub fn forget(&self, event: i64) {
        lock(&self.cache).retain(|(id, _), _| *id != event);
        lock(&self.events).remove(&event);
    }

    pub(super) async fn prepare(
        &self,
        claimed: &Claimed,
        channel: &str,
        hours: Option<Hours>,
        now: i64,
    ) -> Result<Prepared, Verdict> {
        if claimed.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(decided("expired", "deadline passed"));
        }
        let address = self.address(claimed)?;
        let message = match (&claimed.notice, claimed.event) {
            (Some(notice), _) => self.notice(notice, claimed)?,
            (None, Some(event)) => {
                if let Some(until) = hours.and_then(|hours| hours.next_after(now)) {
                    let reason = "outside the hours for text messages".to_owned();
                    return Err(Verdict::Deferred { until, reason });
                }
                (self.broadcast(event, claimed, now).await?, None)
            }
            (None, None) => return Err(decided("cancelled", "its event is gone")),
        };
        let (message, in_reply_to) = message;
        let token = self.sealer.token(Purpose::Delivery, claimed.id);
        let name = claimed.first_name.as_ref().and_then(|name| self.sealer.open_text(name).ok());
        let unsubscribe = message.broadcast.then(|| {
            self.addresses.unsubscribe(&self.sealer.token(Purpose::Unsubscribe, claimed.id))
        });
        let preferences = claimed
            .citizen
            .map(|citizen| self.addresses.citizen(&self.sealer.token(Purpose::Citizen, citizen)));
        let recipient = Recipient { address, name, token, unsubscribe, preferences, in_reply_to };
        Ok(Prepared { message, recipient, id: format!("{channel}-{}", claimed.id) })
    }

    fn address(&self, claimed: &Claimed) -> Result<String, Verdict> {
        if claimed.notice.is_none() && claimed.address_state.as_deref() != Some("active") {
            return Err(decided("suppressed", "the address is no longer written to"));
        }
        let Some(sealed) = &claimed.sealed else {
            return Err(decided("cancelled", "the citizen was erased"));
        };
        self.sealer.open_text(sealed).map_err(|error| {
            tracing::error!(delivery = claimed.id, %error, "an address does not open");
            decided("failed", &error.to_string())
        })
    }

    fn notice(
        &self,
        notice: &str,
        claimed: &Claimed,
    ) -> Result<(Arc<Message>, Option<String>), Verdict> {
        let letter: Letter = serde_json::from_str(notice)
            .map_err(|error| decided("failed", &format!("notice can't be read: {error}")))?;
        let register = Register::from_str(&claimed.register).unwrap_or_default();
        let language = Language::new(&claimed.language);
        let message = self
            .renderer
            .notice(&letter.notice, &language, register, letter.consultation.as_ref())
            .map_err(|error| decided("failed", &error.to_string()))?;
        Ok((Arc::new(message), letter.in_reply_to))
    }

    async fn broadcast(
        &self,
        event: i64,
        claimed: &Claimed,
        now: i64,
    ) -> Result<Arc<Message>, Verdict> {
        let stored = self.event(event, now).await?;
        let register = claimed.register_now.as_deref().unwrap_or(&claimed.register);
        let mut variant = Variant {
            language: Language::new(&claimed.language),
            register: Register::from_str(register).unwrap_or_default(),
            standard_instead: false,
            themes: outcome_themes(&stored.0, claimed.themes.as_deref()),
        };
        match self.rendered(event, &stored, &variant)? {
            Rendering::Ready(message) => Ok(message),
            Rendering::AwaitsPlain => {
                let Some(before) = self.plain.fallback_before_ms else {
                    return Err(held(FAR));
                };
                let from = claimed.deadline.map_or(now, |deadline| deadline - before);
                if from > now {
                    return Err(held(from));
                }
                variant.standard_instead = true;
                match self.rendered(event, &stored, &variant)? {
                    Rendering::Ready(message) => Ok(message),
                    Rendering::AwaitsPlain => Err(held(FAR)),
                }
            }
        }
    }

    async fn event(&self, id: i64, now: i64) -> Result<Arc<(Event, String)>, Verdict> {
        if let Some(event) = lock(&self.events).get(&id) {
            return Ok(Arc::clone(event));
        }
        let row = match self.store.event(id).await {
            Ok(Some(row)) => row,
            Ok(None) => return Err(decided("cancelled", "its event is gone")),
            Err(error) => {
                let reason = error.to_string();
                return Err(Verdict::Deferred { until: now + 1_000, reason });
            }
        };
        let event: Event = serde_json::from_str(&row.body)
            .map_err(|error| decided("failed", &format!("event can't be read: {error}")))?;
        let event = Arc::new((event, row.code));
        let mut events = lock(&self.events);
        if events.len() >= KEPT {
            events.clear();
        }
        events.insert(id, Arc::clone(&event));
        Ok(event)
    }

    fn rendered(
        &self,
        id: i64,
        stored: &(Event, String),
        variant: &Variant,
    ) -> Result<Rendering, Verdict> {
        let key = (id, variant.clone());
        if let Some(rendering) = lock(&self.cache).get(&key) {
            return Ok(rendering.clone());
        }
        let links = Links { page: Some(self.addresses.page(&stored.1)) };
        let rendering = match self.renderer.broadcast(&stored.0, variant, &links) {
            Ok(Rendered::Message(message)) => Rendering::Ready(Arc::new(message)),
            Ok(Rendered::AwaitsPlain) => Rendering::AwaitsPlain,
            Err(error) => {
                tracing::error!(event = %stored.0.id, %error, "a message can't be rendered");
                return Err(decided("failed", &error.to_string()));
            }
        };
        let mut cache = lock(&self.cache);
        if cache.len() >= KEPT {
            cache.clear();
        }
        cache.insert(key, rendering.clone());
        Ok(rendering)
    }
}

/// The citizen's themes that the event decides on; none of them: all outcomes are shown.
fn outcome_themes(event: &Event, themes: Option<&str>) -> Vec<String> {
    let mut own: Vec<String> = themes
        .unwrap_or_default()
        .split('|')
        .filter(|theme| event.data.outcomes.iter().any(|outcome| outcome.theme == **theme))
        .map(str::to_owned)
        .collect();
    own.sort();
    own
}

fn decided(state: &'static str, reason: &str) -> Verdict {
    Verdict::Decided { state, reason: reason.to_owned() }
}

fn held(until: i64) -> Verdict {
    Verdict::Deferred { until, reason: crate::store::AWAITS_PLAIN.to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

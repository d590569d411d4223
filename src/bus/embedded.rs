//! The embedded bus: the same three streams as a table of the gateway's own database.

use std::time::Duration;

use async_trait::async_trait;

use super::{Bus, BusError, BusMessage, EVENTS, Handle, Received, stream_of};
use crate::{
    clock::Clock,
    store::{NewOutgoing, Store},
};

#[derive(Debug, Clone)]
pub struct Embedded {
    store: Store,
    clock: Clock,
}

/// How often the table is looked at: `portevoix publish` writes from another process, whose bell
/// is not heard here.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Embedded {
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}

#[async_trait]
impl Bus for Embedded {
    async fn publish(&self, messages: &[BusMessage]) -> Vec<Result<bool, BusError>> {
        let mut results = Vec::with_capacity(messages.len());
        for message in messages {
            let (headers, payload) = to_text(message);
            let row = NewOutgoing {
                subject: message.subject.clone(),
                message_id: message.message_id.clone(),
                headers,
                payload,
                created_at: self.clock.now_ms(),
            };
            let stream = stream_of(&message.subject);
            results.push(
                self.store
                    .bus_publish(stream, &row)
                    .await
                    .map_err(|error| BusError::new("publish on the embedded bus", error)),
            );
        }
        results
    }

    async fn fetch(&self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError> {
        let looks = (wait.as_millis() / LOOK_EVERY.as_millis()).max(1);
        for _ in 0..looks {
            let rows = self
                .store
                .bus_fetch(EVENTS, self.clock.now_ms(), max as i64)
                .await
                .map_err(|error| BusError::new("fetch from the embedded bus", error))?;
            if !rows.is_empty() {
                return Ok(rows.into_iter().map(received).collect());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(Vec::new())
    }

    async fn ack(&self, received: &Received) -> Result<(), BusError> {
        let Handle::Row(id) = received.handle else { return Ok(()) };
        self.store
            .bus_ack(id, self.clock.now_ms())
            .await
            .map_err(|error| BusError::new("acknowledge on the embedded bus", error))
    }

    async fn nak(&self, received: &Received, delay: Duration) -> Result<(), BusError> {
        let Handle::Row(id) = received.handle else { return Ok(()) };
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 2);
        self.store
            .bus_nak(id, self.clock.now_ms() + delay)
            .await
            .map_err(|error| BusError::new("put a message off on the embedded bus", error))
    }

    async fn probe(&self) -> Result<String, BusError> {
        self.store
            .ping()
            .await
            .map(|()| "embedded, in the database".to_owned())
            .map_err(|error| BusError::new("reach the embedded bus", error))
    }
}

/// Header that marks a payload that is not UTF-8, and so travels as base64 in a text column.
const ENCODING: &str = "Portevoix-Encoding";

/// Headers and payload as text columns hold them.
pub fn to_text(message: &BusMessage) -> (String, String) {
    let mut headers = message.headers.clone();
    let payload = match std::str::from_utf8(&message.payload) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => {
            use base64::{Engine, engine::general_purpose::STANDARD};
            headers.push((ENCODING.to_owned(), "base64".to_owned()));
            STANDARD.encode(&message.payload)
        }
    };
    (serde_json::to_string(&headers).unwrap_or_else(|_| "[]".to_owned()), payload)
}

/// The inverse of [`to_text`].
pub fn from_text(headers: &str, payload: &str) -> (Vec<(String, String)>, Vec<u8>) {
    let mut headers: Vec<(String, String)> = serde_json::from_str(headers).unwrap_or_default();
    let encoded = headers.iter().position(|(name, _)| name == ENCODING);
    let payload = match encoded {
        Some(position) => {
            use base64::{Engine, engine::general_purpose::STANDARD};
            headers.remove(position);
            STANDARD.decode(payload).unwrap_or_else(|_| payload.as_bytes().to_vec())
        }
        None => payload.as_bytes().to_vec(),
    };
    (headers, payload)
}

fn received(row: crate::store::BusRow) -> Received {
    let (headers, payload) = from_text(&row.headers, &row.payload);
    Received {
        message: BusMessage { subject: row.subject, message_id: row.message_id, headers, payload },
        tries: u64::try_from(row.tries).unwrap_or_default() + 1,
        handle: Handle::Row(row.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_survive_the_text_column() {
        let message = BusMessage {
            subject: "participation.events.x".to_owned(),
            message_id: "1".to_owned(),
            headers: vec![("ce-id".to_owned(), "é".to_owned())],
            payload: vec![0xff, 0x00, b'x'],
        };
        let (headers, payload) = to_text(&message);
        assert_eq!(from_text(&headers, &payload), (message.headers, message.payload));
    }
}

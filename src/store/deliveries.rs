//! Finding deliveries again: by id, by the provider's reference, by citizen.

use super::{Doing, Store, StoreResult};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeliveryRow {
    pub id: i64,
    pub event: Option<i64>,
    pub citizen: Option<i64>,
    pub address: Option<i64>,
    pub channel: String,
    pub language: String,
    pub register: String,
    pub notice: Option<String>,
    pub state: String,
    pub due_at: i64,
    pub attempts: i64,
    pub reference: Option<String>,
    pub reason: Option<String>,
    pub updated_at: i64,
}

/// A delivery with the names people know, for lists.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct DeliveryView {
    pub id: i64,
    pub pseudonym: Option<String>,
    pub commune: Option<String>,
    pub channel: String,
    pub language: String,
    pub register: String,
    pub state: String,
    pub reason: Option<String>,
    pub attempts: i64,
    pub due_at: i64,
    pub updated_at: i64,
}

/// Who a delivery was sent to, and what about.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SentTo {
    pub delivery: i64,
    pub event: Option<i64>,
    pub citizen: Option<i64>,
    pub consultation: Option<String>,
    /// Fingerprint of the address it went to.
    pub fingerprint: Option<String>,
    pub channel: String,
    pub notice: Option<String>,
}

macro_rules! delivery_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, event, citizen, address, channel, language, register, notice, state, due_at, \
             attempts, reference, reason, updated_at FROM delivery ",
            $rest
        )
    };
}

macro_rules! sent_to {
    ($rest:literal) => {
        concat!(
            "SELECT d.id AS delivery, d.event, d.citizen, e.consultation, a.fingerprint, d.channel, d.notice \
             FROM delivery d LEFT JOIN event e ON e.id = d.event LEFT JOIN address a ON a.id = d.address ",
            $rest
        )
    };
}

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn delivery(&self, id: i64) -> StoreResult<Option<DeliveryRow>> {
        sqlx::query_as(delivery_columns!("WHERE id = $1"))
            .bind(id)
            .fetch_optional(&self.read)
            .await
            .doing("read a delivery")
    }

    /// # Errors
    /// Where the database fails.
    pub async fn sent_to(&self, delivery: i64) -> StoreResult<Option<SentTo>> {
        sqlx::query_as(sent_to!("WHERE d.id = $1"))
            .bind(delivery)
            .fetch_optional(&self.read)
            .await
            .doing("read a delivery")
    }

    /// # Errors
    /// Where the database fails.
    pub async fn sent_as(&self, channel: &str, reference: &str) -> StoreResult<Option<SentTo>> {
        sqlx::query_as(sent_to!(
            "WHERE d.channel = $1 AND d.reference = $2 ORDER BY d.id DESC LIMIT 1"
        ))
        .bind(channel)
        .bind(reference)
        .fetch_optional(&self.read)
        .await
        .doing("look a message up by its reference")
    }

    /// A citizen's deliveries, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deliveries_of(&self, citizen: i64, limit: i64) -> StoreResult<Vec<DeliveryRow>> {
        sqlx::query_as(delivery_columns!("WHERE citizen = $1 ORDER BY id DESC LIMIT $2"))
            .bind(citizen)
            .bind(limit)
            .fetch_all(&self.read)
            .await
            .doing("list a citizen's deliveries")
    }

    /// An event's deliveries after an id, in order; `state` empty: all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deliveries_page(
        &self,
        event: i64,
        state: &str,
        after: i64,
        limit: i64,
    ) -> StoreResult<Vec<DeliveryView>> {
        sqlx::query_as(
            "SELECT d.id, c.pseudonym, c.commune, d.channel, d.language, d.register, d.state, d.reason, \
               d.attempts, d.due_at, d.updated_at FROM delivery d LEFT JOIN citizen c ON c.id = d.citizen \
             WHERE d.event = $1 AND d.id > $2 AND ($3 = '' OR d.state = $3) ORDER BY d.id LIMIT $4",
        )
        .bind(event)
        .bind(after)
        .bind(state)
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .doing("list deliveries")
    }

    /// The newest deliveries of an event by change, for the live view.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deliveries_changed(
        &self,
        event: i64,
        limit: i64,
    ) -> StoreResult<Vec<DeliveryView>> {
        sqlx::query_as(
            "SELECT d.id, c.pseudonym, c.commune, d.channel, d.language, d.register, d.state, d.reason, \
               d.attempts, d.due_at, d.updated_at FROM delivery d LEFT JOIN citizen c ON c.id = d.citizen \
             WHERE d.event = $1 AND d.state <> 'pending' ORDER BY d.updated_at DESC, d.id DESC LIMIT $2",
        )
        .bind(event)
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .doing("list deliveries")
    }

    /// Lets deliveries that waited for a plain text go, once it has come.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn release_plain(&self, event: i64, now: i64) -> StoreResult<u64> {
        Ok(sqlx::query(
            "UPDATE delivery SET due_at = $2, reason = 'plain text has come', updated_at = $2 \
             WHERE event = $1 AND state = 'pending' AND register = 'plain' AND reason = 'awaits plain text'",
        )
        .bind(event)
        .bind(now)
        .execute(&self.write)
        .await
        .doing("release plain deliveries")?
        .rows_affected())
    }
}

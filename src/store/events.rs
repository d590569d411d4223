//! Events as stored, and what has become of them.

use super::{Doing, Store, StoreResult};

/// An event to store. `body` is the CloudEvent as JSON in structured form.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub source: String,
    pub event_id: String,
    pub kind: String,
    pub consultation: String,
    /// Short public code of its page `/c/{code}`.
    pub code: String,
    pub body: String,
    /// Epoch ms.
    pub received_at: i64,
    /// Epoch ms after which sending it is worthless.
    pub deadline: Option<i64>,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventRow {
    pub id: i64,
    pub source: String,
    pub event_id: String,
    pub kind: String,
    pub consultation: String,
    pub code: String,
    pub body: String,
    pub state: String,
    pub planned: i64,
    pub received_at: i64,
    pub planned_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub deadline: Option<i64>,
}

macro_rules! event_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, source, event_id, kind, consultation, code, body, state, planned, \
             received_at, planned_at, completed_at, deadline FROM event ",
            $rest
        )
    };
}

impl Store {
    /// Stores an event once; false where source and id are already there. The consultation it is
    /// about is written in the same transaction.
    ///
    /// # Errors
    /// Where the database fails; nothing is stored then.
    pub async fn store_event(
        &self,
        event: &NewEvent,
        consultation: &super::ConsultationRow,
    ) -> StoreResult<bool> {
        let doing = "store an event";
        let mut tx = self.begin().await?;
        let stored = sqlx::query(
            "INSERT INTO event (source, event_id, kind, consultation, code, body, received_at, deadline) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (source, event_id) DO NOTHING",
        )
        .bind(&event.source)
        .bind(&event.event_id)
        .bind(&event.kind)
        .bind(&event.consultation)
        .bind(&event.code)
        .bind(&event.body)
        .bind(event.received_at)
        .bind(event.deadline)
        .execute(&mut *tx)
        .await
        .doing(doing)?
        .rows_affected()
            == 1;
        if stored {
            super::consultations::upsert(&mut tx, consultation).await?;
        }
        tx.commit().await.doing(doing)?;
        Ok(stored)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn events_received(&self, limit: i64) -> StoreResult<Vec<EventRow>> {
        sqlx::query_as(event_columns!("WHERE state = 'received' ORDER BY id LIMIT $1"))
            .bind(limit)
            .fetch_all(&self.read)
            .await
            .doing("read new events")
    }

    /// # Errors
    /// Where the database fails.
    pub async fn event(&self, id: i64) -> StoreResult<Option<EventRow>> {
        sqlx::query_as(event_columns!("WHERE id = $1"))
            .bind(id)
            .fetch_optional(&self.read)
            .await
            .doing("read an event")
    }

    /// All events of that CloudEvents id: usually one, several where sources differ.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn events_named(&self, event_id: &str) -> StoreResult<Vec<EventRow>> {
        sqlx::query_as(event_columns!("WHERE event_id = $1 ORDER BY id LIMIT 100"))
            .bind(event_id)
            .fetch_all(&self.read)
            .await
            .doing("read an event")
    }

    /// Whether source and id are stored already.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn event_known(&self, source: &str, event_id: &str) -> StoreResult<bool> {
        let known: Option<(i64,)> =
            sqlx::query_as("SELECT id FROM event WHERE source = $1 AND event_id = $2")
                .bind(source)
                .bind(event_id)
                .fetch_optional(&self.read)
                .await
                .doing("look an event up")?;
        Ok(known.is_some())
    }

    /// The CloudEvents ids of events known by their internal ones.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn event_names(&self, ids: &[i64]) -> StoreResult<Vec<(i64, String)>> {
        let text =
            format!("SELECT id, event_id FROM event WHERE id IN {}", self.dialect.numbers(1));
        sqlx::query_as(super::sql(text))
            .bind(super::json_list(ids))
            .fetch_all(&self.read)
            .await
            .doing("read the names of events")
    }

    /// The event behind `/c/{code}`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn event_by_code(&self, code: &str) -> StoreResult<Option<EventRow>> {
        sqlx::query_as(event_columns!("WHERE code = $1"))
            .bind(code)
            .fetch_optional(&self.read)
            .await
            .doing("read an event")
    }

    /// The newest first, below `before` (internal id).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn latest_events(&self, before: i64, limit: i64) -> StoreResult<Vec<EventRow>> {
        sqlx::query_as(event_columns!("WHERE id < $1 ORDER BY id DESC LIMIT $2"))
            .bind(before)
            .bind(limit)
            .fetch_all(&self.read)
            .await
            .doing("list events")
    }
}

//! The embedded bus' table: three streams, at-least-once, with acknowledgements.

use super::{Doing, Store, StoreResult};

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BusRow {
    pub id: i64,
    pub subject: String,
    pub message_id: String,
    pub headers: String,
    pub payload: String,
    pub published_at: i64,
    pub tries: i64,
}

impl Store {
    /// False where the stream holds that message id already.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bus_publish(&self, stream: &str, row: &super::NewOutgoing) -> StoreResult<bool> {
        Ok(sqlx::query(
            "INSERT INTO bus_message (stream, subject, message_id, headers, payload, published_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (stream, message_id) DO NOTHING",
        )
        .bind(stream)
        .bind(&row.subject)
        .bind(&row.message_id)
        .bind(&row.headers)
        .bind(&row.payload)
        .bind(row.created_at)
        .execute(&self.write)
        .await
        .doing("publish on the embedded bus")?
        .rows_affected()
            == 1)
    }

    /// Messages not acknowledged and due, in order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bus_fetch(&self, stream: &str, now: i64, limit: i64) -> StoreResult<Vec<BusRow>> {
        sqlx::query_as(
            "SELECT id, subject, message_id, headers, payload, published_at, tries FROM bus_message \
             WHERE stream = $1 AND acked_at IS NULL AND next_at <= $2 ORDER BY id LIMIT $3",
        )
        .bind(stream)
        .bind(now)
        .bind(limit)
        .fetch_all(&self.write)
        .await
        .doing("fetch from the embedded bus")
    }

    /// # Errors
    /// Where the database fails.
    pub async fn bus_ack(&self, id: i64, now: i64) -> StoreResult<()> {
        sqlx::query("UPDATE bus_message SET acked_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(&self.write)
            .await
            .doing("acknowledge on the embedded bus")?;
        Ok(())
    }

    /// Puts a message off until `next_at`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bus_nak(&self, id: i64, next_at: i64) -> StoreResult<()> {
        sqlx::query("UPDATE bus_message SET tries = tries + 1, next_at = $2 WHERE id = $1")
            .bind(id)
            .bind(next_at)
            .execute(&self.write)
            .await
            .doing("put a message off on the embedded bus")?;
        Ok(())
    }

    /// A stream's newest messages, for the console and tests.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bus_latest(&self, stream: &str, limit: i64) -> StoreResult<Vec<BusRow>> {
        sqlx::query_as(
            "SELECT id, subject, message_id, headers, payload, published_at, tries FROM bus_message \
             WHERE stream = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(stream)
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .doing("read the embedded bus")
    }
}

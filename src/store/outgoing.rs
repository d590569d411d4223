//! Rows for the bus. `message_id` makes each go once.

use sqlx::{Any, Transaction};

use crate::model::outgoing::OutgoingKind;

use super::{Doing, Store, StoreResult, json_list, sql};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutgoing {
    pub subject: String,
    pub message_id: String,
    /// JSON array of [name, value].
    pub headers: String,
    pub payload: String,
    pub created_at: i64,
}

impl NewOutgoing {
    /// A CloudEvent of the gateway's own, in structured mode; `id` is also what makes it go once.
    #[must_use]
    pub fn event(
        kind: OutgoingKind,
        id: &str,
        source: &str,
        time: jiff::Timestamp,
        data: &impl serde::Serialize,
    ) -> Self {
        let data = serde_json::to_value(data).unwrap_or_default();
        Self {
            subject: kind.subject().to_owned(),
            message_id: id.to_owned(),
            headers: r#"[["Content-Type","application/cloudevents+json"]]"#.to_owned(),
            payload: kind.cloudevent(id, source, time, &data).to_string(),
            created_at: time.as_millisecond(),
        }
    }
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OutgoingRow {
    pub id: i64,
    pub subject: String,
    pub message_id: String,
    pub headers: String,
    pub payload: String,
}

pub(super) async fn insert(
    tx: &mut Transaction<'static, Any>,
    row: &NewOutgoing,
) -> StoreResult<bool> {
    Ok(sqlx::query(
        "INSERT INTO outgoing (subject, message_id, headers, payload, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (message_id) DO NOTHING",
    )
    .bind(&row.subject)
    .bind(&row.message_id)
    .bind(&row.headers)
    .bind(&row.payload)
    .bind(row.created_at)
    .execute(&mut **tx)
    .await
    .doing("queue a row for the bus")?
    .rows_affected()
        == 1)
}

impl Store {
    /// Queues one row by itself.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn queue_outgoing(&self, row: &NewOutgoing) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let new = insert(&mut tx, row).await?;
        tx.commit().await.doing("queue a row for the bus")?;
        Ok(new)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn unsent(&self, limit: i64) -> StoreResult<Vec<OutgoingRow>> {
        sqlx::query_as(
            "SELECT id, subject, message_id, headers, payload FROM outgoing \
             WHERE sent_at IS NULL ORDER BY id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.write)
        .await
        .doing("read rows for the bus")
    }

    /// # Errors
    /// Where the database fails; the rows then go again, under the same message id.
    pub async fn mark_sent(&self, ids: &[i64], now: i64) -> StoreResult<u64> {
        let text = format!(
            "UPDATE outgoing SET sent_at = $2 WHERE sent_at IS NULL AND id IN {}",
            self.dialect.numbers(1)
        );
        Ok(sqlx::query(sql(text))
            .bind(json_list(ids))
            .bind(now)
            .execute(&self.write)
            .await
            .doing("mark rows as published")?
            .rows_affected())
    }

    /// Drops rows that went out before `before`: the bus has them.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_sent(&self, before: i64) -> StoreResult<u64> {
        Ok(sqlx::query("DELETE FROM outgoing WHERE sent_at IS NOT NULL AND sent_at < $1")
            .bind(before)
            .execute(&self.write)
            .await
            .doing("drop published rows")?
            .rows_affected())
    }
}

//! Messages to one person that are no broadcast: receipts, confirmations, questions back. They
//! share the outbox with broadcasts and overtake them.

use sqlx::{Any, Transaction};

use super::{Doing, Store, StoreResult};

#[derive(Debug, Clone)]
pub struct NewNotice {
    pub citizen: Option<i64>,
    pub channel: String,
    /// Sealed address to answer to: exactly where the person wrote from.
    pub sealed: String,
    pub language: String,
    pub register: String,
    /// JSON of the notice.
    pub notice: String,
    /// Idempotency: one notice for each value, ever.
    pub once: String,
    pub due_at: i64,
    pub deadline: Option<i64>,
}

pub(super) async fn insert(
    tx: &mut Transaction<'static, Any>,
    notice: &NewNotice,
) -> StoreResult<bool> {
    Ok(sqlx::query(
        "INSERT INTO delivery (citizen, channel, sealed, language, register, notice, once, priority, \
           state, due_at, deadline, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 'pending', $8, $9, $8) ON CONFLICT (once) DO NOTHING",
    )
    .bind(notice.citizen)
    .bind(&notice.channel)
    .bind(&notice.sealed)
    .bind(&notice.language)
    .bind(&notice.register)
    .bind(&notice.notice)
    .bind(&notice.once)
    .bind(notice.due_at)
    .bind(notice.deadline)
    .execute(&mut **tx)
    .await
    .doing("queue a notice")?
    .rows_affected()
        == 1)
}

impl Store {
    /// How many notices went to this address since `since` (epoch ms): the brake against loops.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replies_since(
        &self,
        channel: &str,
        fingerprint: &str,
        since: i64,
    ) -> StoreResult<i64> {
        let (count,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM reply WHERE channel = $1 AND fingerprint = $2 AND received_at > $3",
        )
        .bind(channel)
        .bind(fingerprint)
        .bind(since)
        .fetch_one(&self.read)
        .await
        .doing("count replies")?;
        Ok(count)
    }
}

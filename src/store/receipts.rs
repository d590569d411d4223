//! What providers say later. Stored first, applied by a guarded change of state.

use super::{Doing, Store, StoreResult};

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReceiptRow {
    pub id: i64,
    pub channel: String,
    pub reference: String,
    pub state: String,
    pub why: String,
    pub at: i64,
    pub tries: i64,
}

impl Store {
    /// Once for each channel, reference, state and reason.
    ///
    /// # Errors
    /// Where the database fails; the provider must then not be told "received".
    pub async fn store_receipt(
        &self,
        channel: &str,
        reference: &str,
        state: &str,
        why: &str,
        at: i64,
    ) -> StoreResult<bool> {
        Ok(sqlx::query(
            "INSERT INTO receipt (channel, reference, state, why, at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (channel, reference, state, why) DO NOTHING",
        )
        .bind(channel)
        .bind(reference)
        .bind(state)
        .bind(why)
        .bind(at)
        .execute(&self.write)
        .await
        .doing("store a receipt")?
        .rows_affected()
            == 1)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn receipts_new(&self, now: i64, limit: i64) -> StoreResult<Vec<ReceiptRow>> {
        sqlx::query_as(
            "SELECT id, channel, reference, state, why, at, tries FROM receipt \
             WHERE applied IS NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2",
        )
        .bind(now)
        .bind(limit)
        .fetch_all(&self.write)
        .await
        .doing("read receipts")
    }

    /// Applies one receipt: `to` is `delivered`, `failed` or nothing. `dead` also suppresses the
    /// address and plans the next channel. Returns whether a delivery moved; where none has that
    /// reference yet (the receipt overtook the settling), nothing changes and it may be tried again.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn apply_receipt(
        &self,
        receipt: &ReceiptRow,
        to: Option<&str>,
        dead: bool,
        now: i64,
    ) -> StoreResult<bool> {
        let doing = "apply a receipt";
        let mut tx = self.begin().await?;
        let mut moved: Vec<(i64,)> = Vec::new();
        if let Some(to) = to {
            // a delivery report may be followed by a bounce, never the other way round
            let from = if to == "delivered" { "('sent')" } else { "('sent', 'delivered')" };
            moved = sqlx::query_as(super::sql(format!(
                "UPDATE delivery SET state = $3, reason = $4, updated_at = $5 \
                 WHERE channel = $1 AND reference = $2 AND state IN {from} RETURNING id"
            )))
            .bind(&receipt.channel)
            .bind(&receipt.reference)
            .bind(to)
            .bind(&receipt.why)
            .bind(now)
            .fetch_all(&mut *tx)
            .await
            .doing(doing)?;
            if dead {
                let ids: Vec<i64> = moved.iter().map(|(id,)| *id).collect();
                self.bury_addresses(&mut tx, &ids, &receipt.why, now).await?;
            }
        }
        let outcome = if moved.is_empty() && to.is_some() { "nothing to change" } else { "done" };
        sqlx::query("UPDATE receipt SET applied = $2 WHERE id = $1")
            .bind(receipt.id)
            .bind(outcome)
            .execute(&mut *tx)
            .await
            .doing(doing)?;
        tx.commit().await.doing(doing)?;
        Ok(!moved.is_empty())
    }

    /// Puts a receipt off: its delivery is not settled yet.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn defer_receipt(&self, id: i64, next_at: i64) -> StoreResult<()> {
        sqlx::query("UPDATE receipt SET tries = tries + 1, next_at = $2 WHERE id = $1")
            .bind(id)
            .bind(next_at)
            .execute(&self.write)
            .await
            .doing("put a receipt off")?;
        Ok(())
    }

    /// Whether a delivery carries this reference.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reference_known(&self, channel: &str, reference: &str) -> StoreResult<bool> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT id FROM delivery WHERE channel = $1 AND reference = $2 LIMIT 1")
                .bind(channel)
                .bind(reference)
                .fetch_optional(&self.write)
                .await
                .doing("look a reference up")?;
        Ok(row.is_some())
    }
}

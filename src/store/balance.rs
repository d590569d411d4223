//! The balance of an event: planned = the sum over its states, at every instant (law 2).

use crate::model::balance::Balance;

use super::{Dialect, Doing, Store, StoreResult};

/// Event id, kind, planned, channel, state, deliveries, contributions.
type Counted = (String, String, i64, Option<String>, Option<String>, i64, i64);

impl Store {
    /// The balance of one event (internal id), counted from its deliveries.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn balance(&self, event: i64) -> StoreResult<Option<Balance>> {
        let doing = "count a balance";
        // one statement, so that planned and the sums are of the same instant
        let rows: Vec<Counted> = sqlx::query_as(
            "SELECT e.event_id, e.kind, e.planned, d.channel, d.state, COALESCE(d.n, 0), \
               (SELECT COUNT(*) FROM contribution k WHERE k.event = e.id) \
             FROM event e LEFT JOIN (SELECT event, channel, state, COUNT(*) AS n FROM delivery \
               WHERE event = $1 GROUP BY event, channel, state) d ON d.event = e.id WHERE e.id = $1",
        )
        .bind(event)
        .fetch_all(&self.read)
        .await
        .doing(doing)?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut balance = Balance::new(&first.0, &first.1, first.2, first.6);
        for (_, _, _, channel, state, count, _) in &rows {
            if let (Some(channel), Some(state)) = (channel, state) {
                balance.add(channel, state, *count);
            }
        }
        Ok(Some(balance))
    }

    /// Internal ids after `after`, for going through all events.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn event_ids_after(&self, after: i64, limit: i64) -> StoreResult<Vec<i64>> {
        let rows: Vec<(i64,)> =
            sqlx::query_as("SELECT id FROM event WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(after)
                .bind(limit)
                .fetch_all(&self.read)
                .await
                .doing("list events")?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Planned events that are not completed, those that were told of longest ago first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_broadcasts(&self) -> StoreResult<Vec<i64>> {
        let rows: Vec<(i64,)> = sqlx::query_as(
            "SELECT id FROM event WHERE state = 'planned' ORDER BY progress_at, id LIMIT 2000",
        )
        .fetch_all(&self.read)
        .await
        .doing("list broadcasts")?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Notes that progress was told now, unless that was less than `every` ms ago; with
    /// `completed`, ends the broadcast. True where it was this caller's to tell. The row for the
    /// bus is written in the same transaction.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tell_progress(
        &self,
        event: i64,
        completed: bool,
        every: i64,
        now: i64,
        row: &super::NewOutgoing,
    ) -> StoreResult<bool> {
        let doing = "note a broadcast's progress";
        let mut tx = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            // a bounce that plans a next channel holds the event: wait for it here, so that the
            // statement below sees what it planned
            sqlx::query("SELECT id FROM event WHERE id = $1 FOR UPDATE")
                .bind(event)
                .execute(&mut *tx)
                .await
                .doing(doing)?;
        }
        let text = if completed {
            "UPDATE event SET state = 'completed', completed_at = $2, progress_at = $2 \
             WHERE id = $1 AND state = 'planned' AND $3 >= 0 AND NOT EXISTS (SELECT 1 FROM delivery \
               WHERE event = $1 AND state IN ('pending', 'claimed'))"
        } else {
            "UPDATE event SET progress_at = $2 WHERE id = $1 AND state = 'planned' AND progress_at <= $2 - $3"
        };
        let mine = sqlx::query(text)
            .bind(event)
            .bind(now)
            .bind(every)
            .execute(&mut *tx)
            .await
            .doing(doing)?
            .rows_affected();
        if mine == 1 {
            super::outgoing::insert(&mut tx, row).await?;
        }
        tx.commit().await.doing(doing)?;
        Ok(mine == 1)
    }

    /// Pending deliveries by channel over all events, claimed ones included, for metrics.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pending_by_channel(&self) -> StoreResult<Vec<(String, i64)>> {
        sqlx::query_as(
            "SELECT channel, COUNT(*) FROM delivery WHERE state IN ('pending', 'claimed') GROUP BY channel",
        )
        .fetch_all(&self.read)
        .await
        .doing("count pending deliveries")
    }

    /// For metrics: when the oldest delivery that may go has been due since (epoch ms), rows that
    /// wait to go to the bus, replies that wait for staff.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn backlog(&self, now: i64) -> StoreResult<(Option<i64>, i64, i64)> {
        sqlx::query_as(
            "SELECT (SELECT MIN(due_at) FROM delivery WHERE state = 'pending' AND due_at <= $1), \
               (SELECT COUNT(*) FROM outgoing WHERE sent_at IS NULL), \
               (SELECT COUNT(*) FROM reply WHERE state = 'held')",
        )
        .bind(now)
        .fetch_one(&self.read)
        .await
        .doing("measure the backlog")
    }
}

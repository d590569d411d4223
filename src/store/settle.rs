//! Results of attempts, written in groups.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Doing, Store, StoreResult, json_list, sql};

/// What an attempt led to. Only `pending` (try again), `sent`, `failed`, `suppressed`, `expired`
/// and `cancelled` can follow `claimed`.
#[derive(Debug, Clone, Serialize)]
pub struct Settlement {
    pub id: i64,
    pub state: &'static str,
    /// For `pending`: when to try again (epoch ms).
    pub due_at: Option<i64>,
    pub reference: Option<String>,
    pub reason: Option<String>,
    /// The attempt did not happen (the provider asked to wait): it does not count.
    pub uncounted: i64,
    /// The address itself is dead: it is suppressed with this reason.
    pub dead_address: Option<String>,
}

/// What a group of settlements changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Rows whose state moved. Fewer than given: a lease had been lost to another process.
    pub moved: u64,
    /// Deliveries planned on the citizens' next channels.
    pub next_steps: u64,
}

impl Store {
    /// Writes a group of results in one transaction. Where an address is dead it is suppressed,
    /// and the citizen's next allowed channel gets a delivery of its own; the event's planned
    /// count grows with it, so that the balance holds.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    pub async fn settle(
        &self,
        owner: &str,
        group: &[Settlement],
        now: i64,
    ) -> StoreResult<Settled> {
        let doing = "settle deliveries";
        let records = self.dialect.records(
            1,
            &[
                ("id", "BIGINT"),
                ("state", "TEXT"),
                ("due_at", "BIGINT"),
                ("reference", "TEXT"),
                ("reason", "TEXT"),
                ("uncounted", "BIGINT"),
            ],
        );
        let text = format!(
            "UPDATE delivery SET state = v.state, due_at = COALESCE(v.due_at, delivery.due_at), \
               reference = COALESCE(v.reference, delivery.reference), reason = v.reason, \
               attempts = attempts - v.uncounted, lease_owner = NULL, lease_until = NULL, updated_at = $2 \
             FROM {records} AS v \
             WHERE delivery.id = v.id AND delivery.state = 'claimed' AND delivery.lease_owner = $3"
        );
        let mut tx = self.begin().await?;
        let moved = sqlx::query(sql(text))
            .bind(json_list(group))
            .bind(now)
            .bind(owner)
            .execute(&mut *tx)
            .await
            .doing(doing)?
            .rows_affected();
        let mut dead = BTreeMap::<&str, Vec<i64>>::new();
        for one in group {
            if let Some(reason) = &one.dead_address {
                dead.entry(reason).or_default().push(one.id);
            }
        }
        let mut next_steps = 0;
        for (reason, deliveries) in dead {
            next_steps += self.bury_addresses(&mut tx, &deliveries, reason, now).await?;
        }
        tx.commit().await.doing(doing)?;
        Ok(Settled { moved, next_steps })
    }

    /// Suppresses the addresses of these failed deliveries and plans each citizen's next channel.
    pub(super) async fn bury_addresses(
        &self,
        tx: &mut sqlx::Transaction<'static, sqlx::Any>,
        deliveries: &[i64],
        reason: &str,
        now: i64,
    ) -> StoreResult<u64> {
        let doing = "suppress dead addresses";
        let ids = json_list(deliveries);
        let numbers = self.dialect.numbers(1);
        let text = format!(
            "UPDATE address SET state = 'suppressed', reason = $2, changed_at = $3 \
             WHERE state <> 'suppressed' AND id IN (SELECT address FROM delivery \
               WHERE id IN {numbers} AND state IN ('failed', 'suppressed') AND address IS NOT NULL)"
        );
        sqlx::query(sql(text))
            .bind(&ids)
            .bind(reason)
            .bind(now)
            .execute(&mut **tx)
            .await
            .doing(doing)?;
        let text = format!(
            "INSERT INTO delivery (event, citizen, step, address, channel, language, register, priority, \
               state, due_at, deadline, reason, updated_at) \
             SELECT d.event, d.citizen, d.step + 1, a.id, a.channel, d.language, d.register, d.priority, \
               'pending', $2, d.deadline, 'the channel before it failed', $2 \
             FROM delivery d JOIN address a ON a.citizen = d.citizen AND a.state = 'active' \
             WHERE d.id IN {numbers} AND d.event IS NOT NULL AND d.state = 'failed' \
               AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.event = d.event AND e.citizen = d.citizen AND e.address = a.id) \
               AND NOT EXISTS (SELECT 1 FROM address b WHERE b.citizen = d.citizen AND b.state = 'active' \
                 AND (b.place < a.place OR (b.place = a.place AND b.id < a.id)) \
                 AND NOT EXISTS (SELECT 1 FROM delivery f WHERE f.event = d.event AND f.citizen = d.citizen AND f.address = b.id)) \
             ON CONFLICT (event, citizen, step) DO NOTHING RETURNING event"
        );
        let planned: Vec<(i64,)> = sqlx::query_as(sql(text))
            .bind(&ids)
            .bind(now)
            .fetch_all(&mut **tx)
            .await
            .doing("plan the next channel")?;
        let mut by_event = BTreeMap::<i64, i64>::new();
        for (event,) in &planned {
            *by_event.entry(*event).or_default() += 1;
        }
        for (event, more) in by_event {
            sqlx::query("UPDATE event SET planned = planned + $2, state = 'planned' WHERE id = $1")
                .bind(event)
                .bind(more)
                .execute(&mut **tx)
                .await
                .doing("count the next channel")?;
        }
        Ok(planned.len() as u64)
    }

    /// Ends what waited past its deadline, whatever it waited for.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn expire(&self, now: i64, limit: i64) -> StoreResult<u64> {
        let text = format!(
            "WITH picked AS MATERIALIZED (SELECT id FROM delivery WHERE state = 'pending' \
               AND deadline IS NOT NULL AND deadline <= $1 LIMIT $2 {skip}) \
             UPDATE delivery SET state = 'expired', reason = COALESCE(reason, 'deadline passed'), updated_at = $1 \
             WHERE state = 'pending' AND id IN (SELECT id FROM picked)",
            skip = self.dialect.skip_locked(),
        );
        Ok(sqlx::query(sql(text))
            .bind(now)
            .bind(limit)
            .execute(&self.write)
            .await
            .doing("expire deliveries")?
            .rows_affected())
    }
}

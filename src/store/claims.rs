//! Claims: rows taken with a lease by one process, so that no two send the same delivery.

use super::{Doing, Store, StoreResult, json_list, sql};

/// What to claim.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    pub channel: &'a str,
    pub owner: &'a str,
    pub now: i64,
    pub lease_until: i64,
    pub limit: i64,
}

/// A delivery in hand, with what is needed to send it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claimed {
    pub id: i64,
    pub event: Option<i64>,
    pub citizen: Option<i64>,
    pub language: String,
    pub register: String,
    /// JSON of the notice, where it is no broadcast.
    pub notice: Option<String>,
    pub attempts: i64,
    pub deadline: Option<i64>,
    pub reason: Option<String>,
    /// Sealed address: the citizen's as it is now, or the one given with the notice.
    pub sealed: Option<String>,
    /// As it is at this moment; none for a notice to an address that no citizen holds.
    pub address_state: Option<String>,
    pub first_name: Option<String>,
    /// The citizen's themes, separated by `|`.
    pub themes: Option<String>,
    /// The citizen's channel has withdrawn consent since planning, or moved to another register.
    pub register_now: Option<String>,
}

impl Store {
    /// Takes up to `limit` due deliveries of a channel, notices before broadcasts, each group in
    /// the order they fell due.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn claim(&self, claim: &Claim<'_>) -> StoreResult<Vec<Claimed>> {
        let mut ids = Vec::new();
        for priority in [1_i64, 5] {
            let left = claim.limit - ids.len() as i64;
            if left > 0 {
                ids.extend(self.claim_ids(claim, priority, left).await?);
            }
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT d.id, d.event, d.citizen, d.language, d.register, d.notice, d.attempts, d.deadline, \
               d.reason, COALESCE(d.sealed, a.sealed) AS sealed, a.state AS address_state, c.first_name, \
               (SELECT {themes} FROM citizen_theme t WHERE t.citizen = d.citizen) AS themes, \
               c.register AS register_now \
             FROM delivery d LEFT JOIN address a ON a.id = d.address LEFT JOIN citizen c ON c.id = d.citizen \
             WHERE d.id IN {ids} ORDER BY d.priority, d.due_at, d.id",
            themes = self.dialect.joined("t.theme"),
            ids = self.dialect.numbers(1),
        );
        sqlx::query_as(sql(text))
            .bind(json_list(&ids))
            .fetch_all(&self.write)
            .await
            .doing("read claimed deliveries")
    }

    async fn claim_ids(
        &self,
        claim: &Claim<'_>,
        priority: i64,
        limit: i64,
    ) -> StoreResult<Vec<i64>> {
        let text = format!(
            // materialised: PostgreSQL may run a plain subquery again for each row, and then take
            // more than the limit
            "WITH picked AS MATERIALIZED (SELECT id FROM delivery WHERE state = 'pending' \
               AND channel = $4 AND priority = $5 AND due_at <= $3 ORDER BY due_at, id LIMIT $6 {skip}) \
             UPDATE delivery SET state = 'claimed', lease_owner = $1, lease_until = $2, \
               attempts = attempts + 1, updated_at = $3 \
             WHERE id IN (SELECT id FROM picked) AND state = 'pending' \
             RETURNING id",
            skip = self.dialect.skip_locked(),
        );
        let rows: Vec<(i64,)> = sqlx::query_as(sql(text))
            .bind(claim.owner)
            .bind(claim.lease_until)
            .bind(claim.now)
            .bind(claim.channel)
            .bind(priority)
            .bind(limit)
            .fetch_all(&self.write)
            .await
            .doing("claim deliveries")?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// When the next pending delivery of a channel falls due after `now` (epoch ms).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next_due(&self, channel: &str, now: i64) -> StoreResult<Option<i64>> {
        let mut next: Option<i64> = None;
        for priority in [1_i64, 5] {
            let due: Option<(i64,)> = sqlx::query_as(
                "SELECT due_at FROM delivery WHERE state = 'pending' AND channel = $1 \
                 AND priority = $2 ORDER BY due_at LIMIT 1",
            )
            .bind(channel)
            .bind(priority)
            .fetch_optional(&self.read)
            .await
            .doing("look for the next delivery")?;
            if let Some((due,)) = due {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        Ok(next.map(|due| due.max(now)))
    }

    /// Gives back what a stopping process had claimed and not begun to send: those attempts did
    /// not happen.
    ///
    /// # Errors
    /// Where the database fails; the leases then run out by themselves.
    pub async fn release(&self, owner: &str, ids: &[i64], now: i64) -> StoreResult<u64> {
        let text = format!(
            "UPDATE delivery SET state = 'pending', lease_owner = NULL, lease_until = NULL, \
               attempts = attempts - 1, updated_at = $3 \
             WHERE state = 'claimed' AND lease_owner = $1 AND id IN {}",
            self.dialect.numbers(2)
        );
        Ok(sqlx::query(sql(text))
            .bind(owner)
            .bind(json_list(ids))
            .bind(now)
            .execute(&self.write)
            .await
            .doing("release claims")?
            .rows_affected())
    }

    /// Takes over what dead processes had in hand: leases that ran out, and on SQLite, where only
    /// one daemon can run, whatever another owner holds. `dead` names owners known to be gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn take_over(&self, dead: &[String], now: i64) -> StoreResult<u64> {
        let text = format!(
            "UPDATE delivery SET state = 'pending', lease_owner = NULL, lease_until = NULL, \
               due_at = $2, reason = 'taken over from a process that ended', updated_at = $2 \
             WHERE state = 'claimed' AND (lease_until < $2 OR lease_owner IN {})",
            self.dialect.texts(1)
        );
        Ok(sqlx::query(sql(text))
            .bind(json_list(dead))
            .bind(now)
            .execute(&self.write)
            .await
            .doing("take over leases")?
            .rows_affected())
    }

    /// Who holds leases now.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn lease_owners(&self) -> StoreResult<Vec<String>> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT DISTINCT lease_owner FROM delivery WHERE state = 'claimed' AND lease_owner IS NOT NULL")
                .fetch_all(&self.read)
                .await
                .doing("read lease owners")?;
        Ok(rows.into_iter().map(|(owner,)| owner).collect())
    }
}

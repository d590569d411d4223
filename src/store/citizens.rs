//! Citizens, their addresses, what they consented to and what they object to.

use sqlx::{Any, Transaction};

use super::{Doing, Store, StoreResult, outgoing::NewOutgoing};

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CitizenRow {
    pub id: i64,
    pub pseudonym: String,
    pub external_id: Option<String>,
    pub first_name: Option<String>,
    pub commune: String,
    pub language: String,
    pub register: String,
    pub frequency: String,
    pub age_band: String,
    pub created_at: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AddressRow {
    pub id: i64,
    pub citizen: i64,
    pub channel: String,
    pub sealed: String,
    pub place: i64,
    pub state: String,
    pub reason: Option<String>,
}

macro_rules! citizen_columns {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.pseudonym, c.external_id, c.first_name, c.commune, c.language, c.register, \
             c.frequency, c.age_band, c.created_at FROM citizen c ",
            $rest
        )
    };
}

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn citizen(&self, id: i64) -> StoreResult<Option<CitizenRow>> {
        sqlx::query_as(citizen_columns!("WHERE c.id = $1"))
            .bind(id)
            .fetch_optional(&self.read)
            .await
            .doing("read a citizen")
    }

    /// By pseudonym or external id.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn citizen_named(&self, name: &str) -> StoreResult<Option<CitizenRow>> {
        sqlx::query_as(citizen_columns!(
            "WHERE c.pseudonym = $1 OR c.external_id = $1 ORDER BY CASE WHEN c.pseudonym = $1 THEN 0 ELSE 1 END LIMIT 1"
        ))
        .bind(name)
        .fetch_optional(&self.read)
        .await
        .doing("read a citizen")
    }

    /// The citizen who holds an address.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn citizen_at(
        &self,
        channel: &str,
        fingerprint: &str,
    ) -> StoreResult<Option<CitizenRow>> {
        sqlx::query_as(citizen_columns!(
            "JOIN address a ON a.citizen = c.id WHERE a.channel = $1 AND a.fingerprint = $2"
        ))
        .bind(channel)
        .bind(fingerprint)
        .fetch_optional(&self.read)
        .await
        .doing("look a citizen up")
    }

    /// A page of citizens in order of id, for streaming.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn citizens_after(&self, after: i64, limit: i64) -> StoreResult<Vec<CitizenRow>> {
        sqlx::query_as(citizen_columns!("WHERE c.id > $1 ORDER BY c.id LIMIT $2"))
            .bind(after)
            .bind(limit)
            .fetch_all(&self.read)
            .await
            .doing("list citizens")
    }

    /// In the citizen's own order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn addresses(&self, citizen: i64) -> StoreResult<Vec<AddressRow>> {
        sqlx::query_as(
            "SELECT id, citizen, channel, sealed, place, state, reason FROM address \
             WHERE citizen = $1 ORDER BY place, id",
        )
        .bind(citizen)
        .fetch_all(&self.read)
        .await
        .doing("read addresses")
    }

    /// Themes and groups.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn interests(&self, citizen: i64) -> StoreResult<(Vec<String>, Vec<String>)> {
        let doing = "read interests";
        let themes: Vec<(String,)> =
            sqlx::query_as("SELECT theme FROM citizen_theme WHERE citizen = $1 ORDER BY theme")
                .bind(citizen)
                .fetch_all(&self.read)
                .await
                .doing(doing)?;
        let groups: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM citizen_group WHERE citizen = $1 ORDER BY name")
                .bind(citizen)
                .fetch_all(&self.read)
                .await
                .doing(doing)?;
        Ok((
            themes.into_iter().map(|(theme,)| theme).collect(),
            groups.into_iter().map(|(name,)| name).collect(),
        ))
    }

    /// The newest consent still in force, of any channel.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_consent(&self, pseudonym: &str) -> StoreResult<Option<(i64, String)>> {
        sqlx::query_as(
            "SELECT at, source FROM consent WHERE pseudonym = $1 AND action = 'given' ORDER BY at DESC, id DESC LIMIT 1",
        )
        .bind(pseudonym)
        .fetch_optional(&self.read)
        .await
        .doing("read consent")
    }

    /// # Errors
    /// Where the database fails.
    pub async fn count_citizens(&self) -> StoreResult<i64> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM citizen")
            .fetch_one(&self.read)
            .await
            .doing("count citizens")?;
        Ok(count)
    }

    /// Closes a channel at the citizen's wish: the address is suppressed, the objection kept as a
    /// fingerprint, consent withdrawn, and what was still to go out on it is cancelled. False where
    /// it was closed already.
    ///
    /// # Errors
    /// Where the database fails; nothing changes then.
    pub async fn object(
        &self,
        channel: &str,
        fingerprint: &str,
        reason: &str,
        left: Option<&NewOutgoing>,
        now: i64,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let changed = object_in(&mut tx, channel, fingerprint, reason, now).await?;
        if let (true, Some(left)) = (changed, left) {
            super::outgoing::insert(&mut tx, left).await?;
        }
        tx.commit().await.doing("record an objection")?;
        Ok(changed)
    }

    /// Opens a channel again at the citizen's wish (START). False where no such address is known.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn resume(&self, channel: &str, fingerprint: &str, now: i64) -> StoreResult<bool> {
        let doing = "resume a channel";
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM suppression WHERE channel = $1 AND fingerprint = $2")
            .bind(channel)
            .bind(fingerprint)
            .execute(&mut *tx)
            .await
            .doing(doing)?;
        let known = sqlx::query(
            "UPDATE address SET state = 'active', reason = NULL, changed_at = $3 \
             WHERE channel = $1 AND fingerprint = $2",
        )
        .bind(channel)
        .bind(fingerprint)
        .bind(now)
        .execute(&mut *tx)
        .await
        .doing(doing)?
        .rows_affected();
        if known > 0 {
            sqlx::query(
                "INSERT INTO consent (pseudonym, channel, purpose, action, source, actor, at, recorded_at) \
                 SELECT c.pseudonym, a.channel, 'information', 'given', 'START', 'citizen', $3, $3 \
                 FROM address a JOIN citizen c ON c.id = a.citizen WHERE a.channel = $1 AND a.fingerprint = $2",
            )
            .bind(channel)
            .bind(fingerprint)
            .bind(now)
            .execute(&mut *tx)
            .await
            .doing(doing)?;
        }
        tx.commit().await.doing(doing)?;
        Ok(known > 0)
    }

    /// Erases a person: the objections stay as fingerprints, contributions stay without author
    /// (texts passed through `anonymise`), what was to be sent is cancelled, what they wrote
    /// elsewhere goes. False where nobody has that name.
    ///
    /// # Errors
    /// Where the database fails; nothing changes then.
    pub async fn erase(
        &self,
        name: &str,
        anonymise: &(dyn Fn(&str) -> String + Sync),
        left: &NewOutgoing,
        now: i64,
    ) -> StoreResult<bool> {
        let doing = "erase a citizen";
        let Some(citizen) = self.citizen_named(name).await? else { return Ok(false) };
        let mut tx = self.begin().await?;
        let addresses: Vec<(String, String)> =
            sqlx::query_as("SELECT channel, fingerprint FROM address WHERE citizen = $1")
                .bind(citizen.id)
                .fetch_all(&mut *tx)
                .await
                .doing(doing)?;
        for (channel, fingerprint) in &addresses {
            object_in(&mut tx, channel, fingerprint, "erased", now).await?;
        }
        let texts: Vec<(String, String)> =
            sqlx::query_as("SELECT id, text FROM contribution WHERE citizen = $1")
                .bind(citizen.id)
                .fetch_all(&mut *tx)
                .await
                .doing(doing)?;
        for (id, text) in texts {
            sqlx::query(
                "UPDATE contribution SET citizen = NULL, text = $2, updated_at = $3 WHERE id = $1",
            )
            .bind(id)
            .bind(anonymise(&text))
            .bind(now)
            .execute(&mut *tx)
            .await
            .doing(doing)?;
        }
        for statement in [
            "UPDATE delivery SET state = 'cancelled', reason = 'erased', updated_at = $2 \
             WHERE citizen = $1 AND state = 'pending'",
            "UPDATE delivery SET sealed = NULL, notice = NULL, updated_at = $2 \
             WHERE citizen = $1 AND sealed IS NOT NULL AND state <> 'claimed'",
            // what they wrote and nobody has read yet is known by its sender alone
            "UPDATE reply SET citizen = $1, updated_at = $2 WHERE citizen IS NULL AND (channel, fingerprint) IN \
               (SELECT channel, fingerprint FROM address WHERE citizen = $1)",
            "UPDATE reply SET sender = '', sealed = '', text = NULL, quoted = NULL, answer = NULL, citizen = NULL, \
               state = CASE WHEN state IN ('stored', 'matched', 'held') THEN 'ignored' ELSE state END, \
               updated_at = $2 WHERE citizen = $1",
        ] {
            sqlx::query(statement)
                .bind(citizen.id)
                .bind(now)
                .execute(&mut *tx)
                .await
                .doing(doing)?;
        }
        for statement in [
            "DELETE FROM author WHERE citizen = $1",
            "DELETE FROM address WHERE citizen = $1",
            "DELETE FROM citizen_theme WHERE citizen = $1",
            "DELETE FROM citizen_group WHERE citizen = $1",
            "DELETE FROM citizen WHERE id = $1",
        ] {
            sqlx::query(statement).bind(citizen.id).execute(&mut *tx).await.doing(doing)?;
        }
        super::outgoing::insert(&mut tx, left).await?;
        tx.commit().await.doing(doing)?;
        Ok(true)
    }
}

async fn object_in(
    tx: &mut Transaction<'static, Any>,
    channel: &str,
    fingerprint: &str,
    reason: &str,
    now: i64,
) -> StoreResult<bool> {
    let doing = "record an objection";
    let new = sqlx::query(
        "INSERT INTO suppression (channel, fingerprint, reason, at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (channel, fingerprint) DO NOTHING",
    )
    .bind(channel)
    .bind(fingerprint)
    .bind(reason)
    .bind(now)
    .execute(&mut **tx)
    .await
    .doing(doing)?
    .rows_affected();
    for statement in [
        "INSERT INTO consent (pseudonym, channel, purpose, action, source, actor, at, recorded_at) \
         SELECT c.pseudonym, a.channel, 'information', 'withdrawn', $3, 'citizen', $4, $4 FROM address a \
         JOIN citizen c ON c.id = a.citizen \
         WHERE a.channel = $1 AND a.fingerprint = $2 AND a.state <> 'suppressed'",
        "UPDATE address SET state = 'suppressed', reason = $3, changed_at = $4 \
         WHERE channel = $1 AND fingerprint = $2 AND state <> 'suppressed'",
        "UPDATE delivery SET state = 'suppressed', reason = $3, updated_at = $4 \
         WHERE state = 'pending' AND event IS NOT NULL AND (citizen, address) IN \
           (SELECT citizen, id FROM address WHERE channel = $1 AND fingerprint = $2)",
    ] {
        sqlx::query(statement)
            .bind(channel)
            .bind(fingerprint)
            .bind(reason)
            .bind(now)
            .execute(&mut **tx)
            .await
            .doing(doing)?;
    }
    Ok(new == 1)
}

//! Facts about this database, the shared pace of channels, and who is alive.

use super::{Dialect, Doing, Store, StoreResult};

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn fact(&self, name: &str) -> StoreResult<Option<String>> {
        let row: Option<(String,)> = sqlx::query_as("SELECT value FROM fact WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.read)
            .await
            .doing("read a fact")?;
        Ok(row.map(|(value,)| value))
    }

    /// Keeps the first value ever set, and returns the one in force.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn settle_fact(&self, name: &str, value: &str) -> StoreResult<String> {
        let (value,): (String,) = sqlx::query_as(
            "INSERT INTO fact (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = fact.value RETURNING value",
        )
        .bind(name)
        .bind(value)
        .fetch_one(&self.write)
        .await
        .doing("settle a fact")?;
        Ok(value)
    }

    /// Until when a channel must not be used (epoch ms; 0: now).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn paused_until(&self, channel: &str) -> StoreResult<i64> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT paused_until FROM pace WHERE channel = $1")
                .bind(channel)
                .fetch_optional(&self.read)
                .await
                .doing("read a channel's pace")?;
        Ok(row.map_or(0, |(until,)| until))
    }

    /// Makes every machine wait with a channel, as its provider asked.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pause(&self, channel: &str, until: i64) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO pace (channel, paused_until) VALUES ($1, $2) ON CONFLICT (channel) DO UPDATE SET \
             paused_until = CASE WHEN excluded.paused_until > pace.paused_until \
               THEN excluded.paused_until ELSE pace.paused_until END",
        )
        .bind(channel)
        .bind(until)
        .execute(&self.write)
        .await
        .doing("pause a channel")?;
        Ok(())
    }

    /// Reserves `count` sends at `interval_us` microseconds each, for all machines together;
    /// returns when the first may go (epoch ms).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reserve_pace(
        &self,
        channel: &str,
        count: i64,
        interval_us: i64,
        now: i64,
    ) -> StoreResult<i64> {
        let now_us = now * 1000;
        let span = count * interval_us;
        let (next,): (i64,) = sqlx::query_as(
            "INSERT INTO pace (channel, next_slot) VALUES ($1, $2 + $3) ON CONFLICT (channel) DO UPDATE SET \
             next_slot = CASE WHEN pace.next_slot > $2 THEN pace.next_slot + $3 ELSE $2 + $3 END \
             RETURNING next_slot",
        )
        .bind(channel)
        .bind(now_us)
        .bind(span)
        .fetch_one(&self.write)
        .await
        .doing("reserve a channel's pace")?;
        Ok((next - span) / 1000)
    }

    /// Shows that `owner` lives for as long as the returned guard does. On PostgreSQL this is a
    /// session's advisory lock, which the server frees the moment the process is gone; on SQLite
    /// there is one daemon, and nothing is needed.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn hold_alive(&self, owner: i64) -> StoreResult<Option<Alive>> {
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let mut connection = self.write.acquire().await.doing("hold the sign of life")?.detach();
        // never waits: a session of ours that broke may hold it a little longer
        let (held,): (i64,) =
            sqlx::query_as("SELECT CAST(CAST(pg_try_advisory_lock($1) AS INTEGER) AS BIGINT)")
                .bind(owner)
                .fetch_one(&mut connection)
                .await
                .doing("hold the sign of life")?;
        Ok((held == 1).then_some(Alive { connection }))
    }

    /// Whether the process of that owner is gone. On SQLite every other owner is.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn is_dead(&self, owner: i64) -> StoreResult<bool> {
        if self.dialect == Dialect::Sqlite {
            return Ok(true);
        }
        // ends with its statement, and is shared: two machines that look at once don't take each
        // other's look for a sign of life
        let (free,): (i64,) = sqlx::query_as(
            "SELECT CAST(CAST(pg_try_advisory_xact_lock_shared($1) AS INTEGER) AS BIGINT)",
        )
        .bind(owner)
        .fetch_one(&self.write)
        .await
        .doing("look for signs of life")?;
        Ok(free == 1)
    }
}

/// See [`Store::hold_alive`].
#[derive(Debug)]
pub struct Alive {
    connection: sqlx::AnyConnection,
}

impl Alive {
    /// Whether the session still stands.
    pub async fn stands(&mut self) -> bool {
        sqlx::query("SELECT 1").execute(&mut self.connection).await.is_ok()
    }
}

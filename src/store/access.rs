//! What is held about one person, for that person (GDPR articles 15 and 16).

use super::{ContributionRow, Doing, Store, StoreResult};

/// One entry of the consent register.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct ConsentRow {
    pub channel: String,
    pub purpose: String,
    pub action: String,
    pub source: String,
    pub actor: String,
    /// Epoch ms.
    pub at: i64,
}

/// What a person wrote, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct WrittenRow {
    pub channel: String,
    pub state: String,
    pub text: Option<String>,
    /// Epoch ms.
    pub received_at: i64,
}

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn consents(&self, pseudonym: &str) -> StoreResult<Vec<ConsentRow>> {
        sqlx::query_as(
            "SELECT channel, purpose, action, source, actor, at FROM consent \
             WHERE pseudonym = $1 ORDER BY at, id",
        )
        .bind(pseudonym)
        .fetch_all(&self.read)
        .await
        .doing("read consent")
    }

    /// # Errors
    /// Where the database fails.
    pub async fn contributions_of(&self, citizen: i64) -> StoreResult<Vec<ContributionRow>> {
        sqlx::query_as(
            "SELECT id, number, consultation, event, citizen, author, channel, language, text, answer, \
             attachments, state, received_at, updated_at FROM contribution \
             WHERE citizen = $1 ORDER BY received_at, id",
        )
        .bind(citizen)
        .fetch_all(&self.read)
        .await
        .doing("list contributions")
    }

    /// # Errors
    /// Where the database fails.
    pub async fn written_by(&self, citizen: i64) -> StoreResult<Vec<WrittenRow>> {
        sqlx::query_as(
            "SELECT channel, state, text, received_at FROM reply WHERE citizen = $1 ORDER BY id",
        )
        .bind(citizen)
        .fetch_all(&self.read)
        .await
        .doing("read replies")
    }

    /// The person's own choice of language and register. False where nobody has that id.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn prefer(
        &self,
        citizen: i64,
        language: &str,
        register: &str,
        now: i64,
    ) -> StoreResult<bool> {
        Ok(sqlx::query(
            "UPDATE citizen SET language = $2, register = $3, updated_at = $4 WHERE id = $1",
        )
        .bind(citizen)
        .bind(language)
        .bind(register)
        .bind(now)
        .execute(&self.write)
        .await
        .doing("note a citizen's preferences")?
        .rows_affected()
            == 1)
    }
}

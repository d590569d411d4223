//! API tokens, kept as hashes.

use super::{Doing, Store, StoreResult};

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TokenRow {
    pub hash: String,
    pub name: String,
    /// Separated by spaces.
    pub scopes: String,
    pub created_at: i64,
}

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn add_token(&self, token: &TokenRow) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO api_token (hash, name, scopes, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (hash) DO UPDATE SET scopes = excluded.scopes, name = excluded.name",
        )
        .bind(&token.hash)
        .bind(&token.name)
        .bind(&token.scopes)
        .bind(token.created_at)
        .execute(&self.write)
        .await
        .doing("store an API token")?;
        Ok(())
    }

    /// Tokens in force.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tokens(&self) -> StoreResult<Vec<TokenRow>> {
        sqlx::query_as(
            "SELECT hash, name, scopes, created_at FROM api_token WHERE revoked_at IS NULL ORDER BY created_at",
        )
        .fetch_all(&self.read)
        .await
        .doing("list API tokens")
    }

    /// The token of that hash, unless it was revoked.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn token(&self, hash: &str) -> StoreResult<Option<TokenRow>> {
        sqlx::query_as(
            "SELECT hash, name, scopes, created_at FROM api_token WHERE hash = $1 AND revoked_at IS NULL",
        )
        .bind(hash)
        .fetch_optional(&self.read)
        .await
        .doing("look an API token up")
    }

    /// False where no token in force has that name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn revoke_token(&self, name: &str, now: i64) -> StoreResult<bool> {
        Ok(sqlx::query(
            "UPDATE api_token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL",
        )
        .bind(name)
        .bind(now)
        .execute(&self.write)
        .await
        .doing("revoke an API token")?
        .rows_affected()
            > 0)
    }
}

//! Migrations: numbered files, included in the program, one text for both databases.

use include_dir::{Dir, include_dir};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migrate, Migration, MigrationType, Migrator},
};

use super::{Doing, Store, StoreError, StoreResult};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// A migration that has not been applied yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub version: i64,
    pub name: String,
}

impl Store {
    fn all_migrations(&self) -> StoreResult<Vec<Migration>> {
        let mut all = Vec::new();
        for file in FILES.files() {
            let name = file.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if file.path().extension().is_none_or(|kind| kind != "sql") {
                continue;
            }
            let (version, name) = name
                .split_once('_')
                .and_then(|(number, name)| Some((number.parse::<i64>().ok()?, name)))
                .ok_or_else(|| StoreError::Migrate(format!("`{name}` is not NUMBER_NAME.sql")))?;
            let text = file.contents_utf8().unwrap_or_default();
            let text = text.replace("IDENTITY,", &format!("{},", self.dialect.identity()));
            all.push(Migration::new(
                version,
                name.to_owned().into(),
                MigrationType::Simple,
                AssertSqlSafe(text).into_sql_str(),
                false,
            ));
        }
        all.sort_by_key(|migration| migration.version);
        Ok(all)
    }

    /// Applies what is missing; returns how many.
    ///
    /// # Errors
    /// Where the database refuses, or a landed migration was edited.
    pub async fn migrate(&self) -> StoreResult<usize> {
        let pending = self.pending_migrations().await?.len();
        let migrator = Migrator::with_migrations(self.all_migrations()?);
        migrator.run(&self.write).await.map_err(|error| StoreError::Migrate(error.to_string()))?;
        Ok(pending)
    }

    /// What `migrate` would apply.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn pending_migrations(&self) -> StoreResult<Vec<Pending>> {
        let mut connection = self.write.acquire().await.doing("reach the database")?;
        let failed = |error: sqlx::migrate::MigrateError| StoreError::Migrate(error.to_string());
        connection.ensure_migrations_table("_sqlx_migrations").await.map_err(failed)?;
        let applied =
            connection.list_applied_migrations("_sqlx_migrations").await.map_err(failed)?;
        Ok(self
            .all_migrations()?
            .into_iter()
            .filter(|migration| !applied.iter().any(|done| done.version == migration.version))
            .map(|migration| Pending {
                version: migration.version,
                name: migration.description.into_owned(),
            })
            .collect())
    }
}

//! All SQL, one file an aggregate, one text for both databases.
//!
//! SQLite has one connection for writing and several for reading; PostgreSQL one pool for both.
//! A write that spans statements is one transaction. Changes of state are guarded
//! (`… WHERE state = …`) and the affected rows are counted by the caller.

mod access;
mod balance;
mod bus_messages;
mod citizens;
mod claims;
mod consultations;
mod contributions;
mod deliveries;
mod dialect;
mod events;
mod facts;
mod migrations;
mod notices;
mod outgoing;
mod plan;
mod receipts;
mod registering;
mod replies;
mod settle;
mod tokens;

use std::{str::FromStr, time::Duration};

use sqlx::{
    Any, AnyPool, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
};

pub use access::{ConsentRow, WrittenRow};
pub use bus_messages::BusRow;
pub use citizens::{AddressRow, CitizenRow};
pub use claims::{Claim, Claimed};
pub use consultations::{ConsultationRow, OpenConsultation};
pub use contributions::{ContributionRow, NewContribution, Page};
pub use deliveries::{DeliveryRow, DeliveryView, SentTo};
pub use dialect::Dialect;
pub use events::{EventRow, NewEvent};
pub use facts::Alive;
pub use migrations::Pending;
pub use notices::NewNotice;
pub use outgoing::{NewOutgoing, OutgoingRow};
pub use plan::{AWAITS_PLAIN, Plan, Who};
pub use receipts::ReceiptRow;
pub use registering::{NewAddress, NewCitizen, Refusal, Registered};
pub use replies::{NewReply, QuestionRow, ReadReply, ReplyRow, ReplyState};
pub use settle::{Settled, Settlement};
pub use tokens::TokenRow;

/// A fault of the database. The work is still there and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("failed to {doing}: {source}")]
    Database {
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("failed to read {table}.{column}: {why}")]
    Row { table: &'static str, column: &'static str, why: String },
    #[error("database.url `{0}` is not usable: {1}")]
    Url(String, String),
    #[error("failed to migrate: {0}")]
    Migrate(String),
}

pub type StoreResult<T> = Result<T, StoreError>;

trait Doing<T> {
    fn doing(self, doing: &'static str) -> StoreResult<T>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> StoreResult<T> {
        self.map_err(|source| StoreError::Database { doing, source })
    }
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    write: AnyPool,
    read: AnyPool,
    dialect: Dialect,
    url: String,
}

/// How long a writer waits for another process' write on SQLite.
const BUSY_MS: u32 = 10_000;

impl Store {
    /// Opens the pools; on PostgreSQL the first connection is made when it is needed, so a server
    /// that is away at start is no error here.
    ///
    /// # Errors
    /// Where the URL is not usable or an SQLite file can't be opened.
    pub async fn connect(url: &str, max_connections: u32) -> StoreResult<Self> {
        sqlx::any::install_default_drivers();
        let dialect =
            Dialect::of_url(url).map_err(|why| StoreError::Url(without_password(url), why))?;
        let (write, read) = match dialect {
            Dialect::Sqlite => {
                let url =
                    if url.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
                let write = sqlite_pool(&url, 1).await?;
                let read = sqlite_pool(&url, max_connections.clamp(2, 8)).await?;
                (write, read)
            }
            Dialect::Postgres => {
                let options = AnyConnectOptions::from_str(url)
                    .map_err(|error| StoreError::Url(without_password(url), error.to_string()))?;
                let pool = AnyPoolOptions::new()
                    .max_connections(max_connections.max(4))
                    .acquire_timeout(Duration::from_secs(5))
                    .connect_lazy_with(options);
                (pool.clone(), pool)
            }
        };
        Ok(Self { write, read, dialect, url: without_password(url) })
    }

    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The URL without its password, for people.
    #[must_use]
    pub fn shown_url(&self) -> &str {
        &self.url
    }

    /// One round trip.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn ping(&self) -> StoreResult<()> {
        sqlx::query("SELECT 1").execute(&self.read).await.doing("reach the database")?;
        Ok(())
    }

    pub async fn close(&self) {
        self.write.close().await;
        self.read.close().await;
    }

    async fn begin(&self) -> StoreResult<Transaction<'static, Any>> {
        let doing = "begin a transaction";
        match self.dialect {
            // one that begins by reading could not become a writer after another process wrote:
            // SQLite refuses that at once, whatever the busy timeout
            Dialect::Sqlite => self.write.begin_with("BEGIN IMMEDIATE").await.doing(doing),
            Dialect::Postgres => self.write.begin().await.doing(doing),
        }
    }
}

async fn sqlite_pool(url: &str, connections: u32) -> StoreResult<AnyPool> {
    let options = AnyConnectOptions::from_str(url)
        .map_err(|error| StoreError::Url(url.to_owned(), error.to_string()))?;
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(|connection, _| {
            Box::pin(async move {
                use sqlx::Executor;
                let pragmas = format!(
                    "PRAGMA busy_timeout = {BUSY_MS}; PRAGMA journal_mode = WAL; \
                     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                     PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY"
                );
                connection.execute(sqlx::AssertSqlSafe(pragmas)).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .doing("open the SQLite file")
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let user = url[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}{user}@{}", &url[..scheme + 3], &url[at + 1..])
        }
        _ => url.to_owned(),
    }
}

/// A list as the JSON array that [`Dialect::texts`] and [`Dialect::numbers`] take.
fn json_list<T: serde::Serialize>(items: &[T]) -> String {
    serde_json::to_string(items).unwrap_or_else(|_| "[]".to_owned())
}

/// Dynamic text made of this module's own constants only, never of input.
fn sql(text: String) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(text)
}

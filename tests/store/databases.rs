//! A database for each test, empty or migrated, of either kind.

use portevoix::store::Store;
use sqlx::AnyPool;

use crate::harness::postgres::Postgres;

/// Which kind a case runs on.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database of a test's own.
pub struct Database {
    pub store: Store,
    pub kind: Kind,
    url: String,
    _folder: tempfile::TempDir,
}

impl Database {
    /// Without a table.
    pub async fn empty(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}", folder.path().join("a.db").display()),
            Kind::Postgres => Postgres::shared().await.database().await,
        };
        let store = Store::connect(&url, 4).await.unwrap();
        Self { store, kind, url, _folder: folder }
    }

    pub async fn migrated(kind: Kind) -> Self {
        let database = Self::empty(kind).await;
        database.store.migrate().await.unwrap();
        database
    }

    /// As another process would open it.
    pub async fn another(&self) -> Store {
        Store::connect(&self.url, 4).await.unwrap()
    }

    /// For what no room may ask or do.
    pub async fn raw(&self) -> AnyPool {
        sqlx::any::install_default_drivers();
        sqlx::any::AnyPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap()
    }

    /// Runs a statement; how many rows it changed.
    pub async fn run(&self, text: &'static str) -> u64 {
        let pool = self.raw().await;
        let changed = sqlx::query(text).execute(&pool).await.unwrap().rows_affected();
        pool.close().await;
        changed
    }

    /// A statement's only number.
    pub async fn number(&self, text: &'static str) -> i64 {
        let pool = self.raw().await;
        let (number,): (i64,) = sqlx::query_as(text).fetch_one(&pool).await.unwrap();
        pool.close().await;
        number
    }
}

/// Runs cases, each an `async fn(Database)`, on both databases.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                use $crate::databases::{Database, Kind};
                super::$case(Database::migrated(Kind::Sqlite).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                use $crate::databases::{Database, Kind};
                super::$case(Database::migrated(Kind::Postgres).await).await;
            })+
        }
    };
}
pub(crate) use on_both;

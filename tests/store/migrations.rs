//! From nothing to the house, once.

use crate::databases::{Database, Kind};

async fn from_empty_and_again(kind: Kind) {
    let database = Database::empty(kind).await;
    let pending = database.store.pending_migrations().await.unwrap();
    assert_eq!((pending[0].version, pending[0].name.as_str()), (1, "house"));
    assert!(pending.is_sorted_by_key(|one| one.version));
    assert_eq!(database.store.migrate().await.unwrap(), pending.len());
    assert!(database.store.pending_migrations().await.unwrap().is_empty());
    assert_eq!(database.store.migrate().await.unwrap(), 0);
    assert_eq!(database.store.count_citizens().await.unwrap(), 0);
}

async fn an_edited_one_is_refused(kind: Kind) {
    let database = Database::migrated(kind).await;
    let edit = match kind {
        Kind::Sqlite => "UPDATE _sqlx_migrations SET checksum = X'00' WHERE version = 1",
        Kind::Postgres => "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1",
    };
    assert_eq!(database.run(edit).await, 1);
    let refused = database.store.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("migration 1 was previously applied"), "{refused}");
}

async fn one_from_a_newer_version_is_refused(kind: Kind) {
    let database = Database::migrated(kind).await;
    let newer = "UPDATE _sqlx_migrations SET version = 999999 WHERE version = 1";
    assert_eq!(database.run(newer).await, 1);
    assert!(database.store.migrate().await.is_err());
}

async fn two_processes_at_once(kind: Kind) {
    let database = Database::empty(kind).await;
    let other = database.another().await;
    let (one, two) = tokio::join!(database.store.migrate(), other.migrate());
    // the loser may find the work done, or be told to try again; nothing is half done
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    database.store.migrate().await.unwrap();
    assert_eq!(database.store.count_citizens().await.unwrap(), 0);
}

macro_rules! cases {
    ($($case:ident),+) => {
        mod sqlite { $(#[tokio::test] async fn $case() { super::$case(super::Kind::Sqlite).await; })+ }
        mod postgres { $(#[tokio::test] async fn $case() { super::$case(super::Kind::Postgres).await; })+ }
    };
}
cases!(
    from_empty_and_again,
    an_edited_one_is_refused,
    one_from_a_newer_version_is_refused,
    two_processes_at_once
);

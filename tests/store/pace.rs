//! What all machines share: facts, a channel's pace, and who is alive.

use portevoix::store::Dialect;

use crate::{
    databases::{Database, on_both},
    harness::wait_until,
    town::NOW,
};

on_both!(
    the_first_fact_stays,
    a_pause_is_only_lengthened,
    one_pace_for_all_machines,
    who_is_gone_is_known_at_once,
    it_answers_and_names_itself,
);

async fn the_first_fact_stays(database: Database) {
    let other = database.another().await;
    assert_eq!(database.store.fact("key").await.unwrap(), None);
    let (a, b) =
        tokio::join!(database.store.settle_fact("key", "one"), other.settle_fact("key", "two"));
    let first = a.unwrap();
    assert_eq!(first, b.unwrap());
    assert_eq!(database.store.settle_fact("key", "three").await.unwrap(), first);
    assert_eq!(database.store.fact("key").await.unwrap(), Some(first));
}

async fn a_pause_is_only_lengthened(database: Database) {
    let store = &database.store;
    assert_eq!(store.paused_until("sms").await.unwrap(), 0);
    for (until, expected) in [(NOW + 10, NOW + 10), (NOW + 5, NOW + 10), (NOW + 20, NOW + 20)] {
        store.pause("sms", until).await.unwrap();
        assert_eq!(store.paused_until("sms").await.unwrap(), expected);
    }
    assert_eq!(store.paused_until("email").await.unwrap(), 0);
    assert_eq!(store.reserve_pace("sms", 1, 1_000, NOW).await.unwrap(), NOW, "apart from pace");
}

async fn one_pace_for_all_machines(database: Database) {
    let other = database.another().await;
    // 10 sends at 2.5 ms each: 25 ms a reservation
    let (a, b) = tokio::join!(
        database.store.reserve_pace("sms", 10, 2_500, NOW),
        other.reserve_pace("sms", 10, 2_500, NOW)
    );
    let mut starts = [a.unwrap(), b.unwrap()];
    starts.sort_unstable();
    assert_eq!(starts, [NOW, NOW + 25]);
    let store = &database.store;
    assert_eq!(store.reserve_pace("sms", 1, 2_500, NOW).await.unwrap(), NOW + 50);
    assert_eq!(store.reserve_pace("email", 1, 2_500, NOW).await.unwrap(), NOW);
    assert_eq!(store.reserve_pace("sms", 1, 2_500, NOW + 900).await.unwrap(), NOW + 900);
}

async fn who_is_gone_is_known_at_once(database: Database) {
    let store = &database.store;
    let looking = database.another().await;
    if store.dialect() == Dialect::Sqlite {
        assert!(store.hold_alive(-5).await.unwrap().is_none(), "one daemon: nothing to hold");
        assert!(looking.is_dead(-5).await.unwrap());
        return;
    }
    assert!(looking.is_dead(-5).await.unwrap(), "never seen");
    let mut alive = store.hold_alive(-5).await.unwrap().unwrap();
    assert!(alive.stands().await);
    assert!(!looking.is_dead(-5).await.unwrap());
    assert!(!store.is_dead(-5).await.unwrap(), "not even to itself");
    for _ in 0..9 {
        // a look leaves nothing behind, on whichever connection of the pool it was made
        assert!(looking.is_dead(-6).await.unwrap());
    }
    drop(alive);
    wait_until("the lock goes with its session", async || looking.is_dead(-5).await.unwrap()).await;
}

async fn it_answers_and_names_itself(database: Database) {
    let store = &database.store;
    store.ping().await.unwrap();
    assert!(store.shown_url().contains("://"));
    store.close().await;
    assert!(store.ping().await.is_err());
}

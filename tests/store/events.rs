//! An event is stored once, and a consultation only moves forward.

use portevoix::store::ConsultationRow;

use crate::{
    databases::{Database, on_both},
    town::{NOW, consultation, event},
};

on_both!(
    once_by_source_and_id,
    two_at_once_store_one,
    a_consultation_moves_forward,
    lists_are_newest_first,
);

async fn once_by_source_and_id(database: Database) {
    let store = &database.store;
    let first = event("e", "k");
    assert!(store.store_event(&first, &consultation("k")).await.unwrap());
    let mut again = first.clone();
    again.code = "other".to_owned();
    let changed = ConsultationRow { title: "changed".to_owned(), ..consultation("k") };
    assert!(!store.store_event(&again, &changed).await.unwrap());
    let kept = store.consultation("k").await.unwrap().unwrap();
    assert_eq!(kept.title, consultation("k").title, "a second copy changes nothing");
    again.source = "/another".to_owned();
    assert!(store.store_event(&again, &consultation("k")).await.unwrap());
    assert_eq!(store.events_named("e").await.unwrap().len(), 2);
    assert!(store.event_known("/another", "e").await.unwrap());
    assert!(!store.event_known("/third", "e").await.unwrap());
    let found = store.event_by_code("ce").await.unwrap().unwrap();
    assert_eq!((found.source.as_str(), found.state.as_str()), ("/test", "received"));
    assert_eq!(store.events_received(1).await.unwrap()[0].id, found.id, "oldest first");
}

async fn two_at_once_store_one(database: Database) {
    let other = database.another().await;
    for round in 0..10 {
        let mut one = event(&format!("e{round}"), "k");
        let mut two = one.clone();
        (one.code, two.code) = (format!("a{round}"), format!("b{round}"));
        let row = consultation("k");
        let (a, b) =
            tokio::join!(database.store.store_event(&one, &row), other.store_event(&two, &row));
        assert_ne!(a.unwrap(), b.unwrap(), "exactly one of two stored it");
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM event").await, 10);
}

async fn a_consultation_moves_forward(database: Database) {
    let store = &database.store;
    let full = ConsultationRow {
        url: Some("https://example.org/k".to_owned()),
        closes: Some(NOW + 5),
        phase: 3,
        ..consultation("k")
    };
    store.store_event(&event("1", "k"), &full).await.unwrap();
    let late = ConsultationRow {
        title: "new".to_owned(),
        phase: 1,
        accepts: 0,
        updated_at: NOW + 9,
        ..consultation("k")
    };
    store.store_event(&event("2", "k"), &late).await.unwrap();
    let now = store.consultation("k").await.unwrap().unwrap();
    assert_eq!((now.phase, now.accepts), (3, 1), "neither goes back");
    assert_eq!((now.url, now.closes), (full.url, full.closes), "what is not said again stays");
    assert_eq!((now.title.as_str(), now.updated_at), ("new", NOW + 9));
    store.store_event(&event("3", "j"), &consultation("j")).await.unwrap();
    let latest = store.latest_consultations(5).await.unwrap();
    assert_eq!(latest.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["k", "j"]);
}

async fn lists_are_newest_first(database: Database) {
    let mut ids = Vec::new();
    for name in ["1", "2", "3"] {
        ids.push(database.event(name).await);
    }
    let listed = |rows: Vec<portevoix::store::EventRow>| -> Vec<i64> {
        rows.iter().map(|row| row.id).collect()
    };
    let store = &database.store;
    assert_eq!(listed(store.latest_events(i64::MAX, 2).await.unwrap()), [ids[2], ids[1]]);
    assert_eq!(listed(store.latest_events(ids[1], 2).await.unwrap()), [ids[0]]);
    assert_eq!(store.event_ids_after(ids[0], 9).await.unwrap(), ids[1..]);
    assert!(store.event(ids[2] + 99).await.unwrap().is_none());
}

//! What providers say later: forward only.

use portevoix::store::{ReceiptRow, Settlement};

use crate::{
    databases::{Database, on_both},
    town::{NOW, citizen, settlement},
};

on_both!(
    sent_is_delivered_and_a_bounce_may_follow,
    never_backward,
    one_of_an_unknown_message_waits,
    a_dead_address_reopens_the_broadcast,
    stored_once,
);

/// One delivery, sent with reference `r`; its event and its id.
async fn sent(database: &Database, channels: &[&str]) -> (i64, i64) {
    database.join(citizen("a", channels)).await;
    let event = database.broadcast("e").await;
    let id = database.claim_one(channels[0]).await;
    let done = Settlement { reference: Some("r".to_owned()), ..settlement(id, "sent") };
    assert_eq!(database.store.settle("1", &[done], NOW).await.unwrap().moved, 1);
    (event, id)
}

async fn receipt(database: &Database, reference: &str, state: &str) -> ReceiptRow {
    let store = &database.store;
    assert!(store.store_receipt("email", reference, state, "why", NOW).await.unwrap());
    store.receipts_new(i64::MAX, 9).await.unwrap().pop().unwrap()
}

async fn sent_is_delivered_and_a_bounce_may_follow(database: Database) {
    let (event, id) = sent(&database, &["email"]).await;
    let store = &database.store;
    let one = receipt(&database, "r", "delivered").await;
    assert!(store.apply_receipt(&one, Some("delivered"), false, NOW).await.unwrap());
    assert_eq!(database.state(id).await, "delivered");
    assert_eq!(database.balanced(event).await, (1, 0));
    assert!(store.receipts_new(i64::MAX, 9).await.unwrap().is_empty(), "it is applied");
    let bounce = receipt(&database, "r", "failed").await;
    assert!(store.apply_receipt(&bounce, Some("failed"), false, NOW).await.unwrap());
    assert_eq!(database.state(id).await, "failed");
    assert_eq!(database.balanced(event).await, (1, 0));
}

async fn never_backward(database: Database) {
    let (event, id) = sent(&database, &["email"]).await;
    let store = &database.store;
    let bounce = receipt(&database, "r", "failed").await;
    assert!(store.apply_receipt(&bounce, Some("failed"), false, NOW).await.unwrap());
    let late = receipt(&database, "r", "delivered").await;
    assert!(!store.apply_receipt(&late, Some("delivered"), false, NOW).await.unwrap());
    assert_eq!(database.state(id).await, "failed");
    let unknown = receipt(&database, "r", "buffered").await;
    assert!(!store.apply_receipt(&unknown, None, false, NOW).await.unwrap());
    assert!(store.receipts_new(i64::MAX, 9).await.unwrap().is_empty());
    assert_eq!(database.balanced(event).await, (1, 0));
}

async fn one_of_an_unknown_message_waits(database: Database) {
    let store = &database.store;
    let early = receipt(&database, "r", "delivered").await;
    assert!(!store.reference_known("email", "r").await.unwrap());
    store.defer_receipt(early.id, NOW + 10).await.unwrap();
    assert!(store.receipts_new(NOW + 9, 9).await.unwrap().is_empty());
    let (_, id) = sent(&database, &["email"]).await;
    assert!(store.reference_known("email", "r").await.unwrap());
    assert!(!store.reference_known("sms", "r").await.unwrap(), "another channel's");
    let again = store.receipts_new(NOW + 10, 9).await.unwrap().remove(0);
    assert_eq!((again.id, again.tries), (early.id, 1));
    assert!(store.apply_receipt(&again, Some("delivered"), false, NOW).await.unwrap());
    assert_eq!(database.state(id).await, "delivered");
}

async fn a_dead_address_reopens_the_broadcast(database: Database) {
    let (event, id) = sent(&database, &["email", "sms"]).await;
    let store = &database.store;
    let told = crate::town::outgoing("completed");
    assert!(store.tell_progress(event, true, 0, NOW, &told).await.unwrap());
    let bounce = receipt(&database, "r", "address_dead").await;
    assert!(store.apply_receipt(&bounce, Some("failed"), true, NOW).await.unwrap());
    assert_eq!(database.state(id).await, "failed");
    assert_eq!(database.balanced(event).await, (2, 1));
    assert_eq!(store.open_broadcasts().await.unwrap(), [event]);
    assert_eq!(database.claim("sms", "1", 9).await.len(), 1);
}

async fn stored_once(database: Database) {
    let store = &database.store;
    for (state, new) in [("failed", true), ("failed", false), ("delivered", true)] {
        assert_eq!(store.store_receipt("sms", "r", state, "why", NOW).await.unwrap(), new);
    }
    assert!(store.store_receipt("email", "r", "failed", "why", NOW).await.unwrap());
    assert_eq!(store.receipts_new(NOW, 2).await.unwrap().len(), 2);
}

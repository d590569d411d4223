//! Rows for the bus, the embedded bus itself, and API tokens.

use portevoix::store::TokenRow;

use crate::{
    databases::{Database, on_both},
    town::{NOW, outgoing},
};

on_both!(outgoing_goes_once, the_embedded_bus_is_at_least_once, tokens_are_in_force_until_revoked);

async fn outgoing_goes_once(database: Database) {
    let store = &database.store;
    assert!(store.queue_outgoing(&outgoing("1")).await.unwrap());
    assert!(!store.queue_outgoing(&outgoing("1")).await.unwrap());
    assert!(store.queue_outgoing(&outgoing("2")).await.unwrap());
    let rows = store.unsent(9).await.unwrap();
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    assert_eq!(rows.iter().map(|row| row.message_id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(store.mark_sent(&ids[..1], NOW).await.unwrap(), 1);
    assert_eq!(store.mark_sent(&ids, NOW + 1).await.unwrap(), 1, "those not marked yet");
    assert!(store.unsent(9).await.unwrap().is_empty());
    assert!(!store.queue_outgoing(&outgoing("1")).await.unwrap(), "not after it went, either");
    assert_eq!(store.forget_sent(NOW + 1).await.unwrap(), 1);
    assert_eq!(store.forget_sent(NOW + 2).await.unwrap(), 1);
}

async fn the_embedded_bus_is_at_least_once(database: Database) {
    let store = &database.store;
    for (stream, id, new) in
        [("A", "1", true), ("A", "1", false), ("B", "1", true), ("A", "2", true), ("A", "3", true)]
    {
        assert_eq!(store.bus_publish(stream, &outgoing(id)).await.unwrap(), new, "{stream} {id}");
    }
    let fetch = async |now| store.bus_fetch("A", now, 9).await.unwrap();
    let rows = fetch(NOW).await;
    let names: Vec<&str> = rows.iter().map(|row| row.message_id.as_str()).collect();
    assert_eq!(names, ["1", "2", "3"], "in order, and again until acknowledged");
    assert_eq!(fetch(NOW).await.len(), 3);
    store.bus_ack(rows[0].id, NOW).await.unwrap();
    store.bus_nak(rows[1].id, NOW + 10).await.unwrap();
    assert_eq!(fetch(NOW + 9).await.len(), 1);
    let again = fetch(NOW + 10).await;
    assert_eq!((again[0].message_id.as_str(), again[0].tries), ("2", 1));
    assert_eq!(store.bus_fetch("B", NOW, 9).await.unwrap().len(), 1);
    assert!(
        !store.bus_publish("A", &outgoing("1")).await.unwrap(),
        "acknowledged is not forgotten"
    );
    let latest = store.bus_latest("A", 2).await.unwrap();
    assert_eq!(latest.iter().map(|row| row.message_id.as_str()).collect::<Vec<_>>(), ["3", "2"]);
}

async fn tokens_are_in_force_until_revoked(database: Database) {
    let store = &database.store;
    let token = |hash: &str, name: &str, scopes: &str| TokenRow {
        hash: hash.to_owned(),
        name: name.to_owned(),
        scopes: scopes.to_owned(),
        created_at: NOW,
    };
    store.add_token(&token("h1", "portal", "events:write")).await.unwrap();
    store.add_token(&token("h2", "staff", "read")).await.unwrap();
    store.add_token(&token("h1", "portal", "events:write read")).await.unwrap();
    assert_eq!(store.tokens().await.unwrap().len(), 2);
    assert_eq!(store.token("h1").await.unwrap().unwrap().scopes, "events:write read");
    assert!(store.token("h3").await.unwrap().is_none());
    assert!(store.revoke_token("portal", NOW).await.unwrap());
    assert!(!store.revoke_token("portal", NOW).await.unwrap());
    assert!(store.token("h1").await.unwrap().is_none());
    assert_eq!(store.tokens().await.unwrap()[0].name, "staff");
}

//! What an attempt led to; a dead address, and the way on to the next channel.

use portevoix::store::{NewCitizen, Settled, Settlement};

use crate::{
    databases::{Database, on_both},
    town::{NOW, citizen, claim, plan, print, settlement},
};

on_both!(
    guarded_by_owner_and_state,
    trying_again_is_pending_with_its_reason,
    a_dead_address_gives_way_to_the_next_channel,
    several_dead_addresses_each_with_its_reason,
    a_channel_that_was_closed_is_no_next_one,
    what_waited_past_its_deadline_expires,
    two_keepers_expire_each_row_once,
);

fn dead(id: i64, why: &str) -> Settlement {
    Settlement {
        reason: Some("550 5.1.1".to_owned()),
        dead_address: Some(why.to_owned()),
        ..settlement(id, "failed")
    }
}

async fn guarded_by_owner_and_state(database: Database) {
    database.join(citizen("a", &["email"])).await;
    let event = database.broadcast("e").await;
    let id = database.claim_one("email").await;
    let store = &database.store;
    let sent = Settlement { reference: Some("r1".to_owned()), ..settlement(id, "sent") };
    let nothing = Settled::default();
    assert_eq!(store.settle("2", std::slice::from_ref(&sent), NOW).await.unwrap(), nothing);
    assert_eq!(store.settle("1", &[], NOW).await.unwrap(), nothing);
    let moved = store.settle("1", std::slice::from_ref(&sent), NOW + 1).await.unwrap();
    assert_eq!(moved, Settled { moved: 1, next_steps: 0 });
    let row = store.delivery(id).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.reference.as_deref()), ("sent", Some("r1")));
    assert_eq!(row.updated_at, NOW + 1);
    for state in ["pending", "failed", "sent"] {
        let back = store.settle("1", &[settlement(id, state)], NOW).await.unwrap();
        assert_eq!(back, nothing, "never backward");
    }
    assert_eq!(database.state(id).await, "sent");
    assert_eq!(database.balanced(event).await, (1, 0));
    let found = store.sent_as("email", "r1").await.unwrap().unwrap();
    assert_eq!((found.delivery, found.consultation.as_deref()), (id, Some("k")));
    assert_eq!(found.fingerprint, Some(print("a", "email")));
}

async fn trying_again_is_pending_with_its_reason(database: Database) {
    for name in ["a", "b"] {
        database.join(citizen(name, &["email"])).await;
    }
    let event = database.broadcast("e").await;
    let ids: Vec<i64> = database.claim("email", "1", 9).await.iter().map(|one| one.id).collect();
    let later = Settlement {
        due_at: Some(NOW + 500),
        reason: Some("451 l'hôte \"dort\" | ; --".to_owned()),
        ..settlement(ids[0], "pending")
    };
    let slowed = Settlement { uncounted: 1, ..settlement(ids[1], "pending") };
    let store = &database.store;
    assert_eq!(store.settle("1", &[later.clone(), slowed], NOW).await.unwrap().moved, 2);
    let first = store.delivery(ids[0]).await.unwrap().unwrap();
    assert_eq!((first.attempts, first.due_at, first.reason), (1, NOW + 500, later.reason));
    let second = store.delivery(ids[1]).await.unwrap().unwrap();
    assert_eq!((second.attempts, second.due_at), (0, NOW), "an attempt that did not happen");
    assert_eq!(database.claim("email", "1", 9).await.len(), 1);
    assert_eq!(database.balanced(event).await, (2, 2));
}

async fn a_dead_address_gives_way_to_the_next_channel(database: Database) {
    let person = database.join(citizen("a", &["sms", "email", "telegram"])).await.id;
    let event = database.broadcast("e").await;
    let store = &database.store;
    for (channel, planned, pending) in [("sms", 2, 1), ("email", 3, 1), ("telegram", 3, 0)] {
        let id = database.claim_one(channel).await;
        let settled = store.settle("1", &[dead(id, "no such address")], NOW).await.unwrap();
        assert_eq!((settled.moved, settled.next_steps), (1, u64::from(pending == 1)));
        assert_eq!(database.balanced(event).await, (planned, pending));
        let again = store.settle("1", &[dead(id, "no such address")], NOW).await.unwrap();
        assert_eq!(again, Settled::default(), "planned once");
        assert_eq!(database.balanced(event).await, (planned, pending));
    }
    let addresses = store.addresses(person).await.unwrap();
    assert!(addresses.iter().all(|one| one.state == "suppressed"), "{addresses:?}");
    assert_eq!(addresses[0].reason.as_deref(), Some("no such address"));
    let another = database.broadcast("f").await;
    assert_eq!(database.balanced(another).await, (0, 0), "no way is left");
}

async fn several_dead_addresses_each_with_its_reason(database: Database) {
    let a = database.join(citizen("a", &["email", "sms"])).await.id;
    let b = database.join(citizen("b", &["email"])).await.id;
    let events = [database.broadcast("e").await, database.broadcast("f").await];
    let group: Vec<Settlement> = database
        .claim("email", "1", 9)
        .await
        .iter()
        .map(|one| dead(one.id, if one.citizen == Some(a) { "moved" } else { "blocked" }))
        .collect();
    let settled = database.store.settle("1", &group, NOW).await.unwrap();
    assert_eq!(settled, Settled { moved: 4, next_steps: 2 });
    for (person, reason) in [(a, "moved"), (b, "blocked")] {
        let address = database.store.addresses(person).await.unwrap().remove(0);
        assert_eq!(address.reason.as_deref(), Some(reason));
    }
    for event in events {
        assert_eq!(database.balanced(event).await, (3, 1));
    }
}

async fn a_channel_that_was_closed_is_no_next_one(database: Database) {
    database.join(citizen("a", &["email", "sms", "telegram"])).await;
    let event = database.broadcast("e").await;
    let id = database.claim_one("email").await;
    let store = &database.store;
    assert!(store.object("sms", &print("a", "sms"), "stop", None, NOW).await.unwrap());
    store.settle("1", &[dead(id, "gone")], NOW).await.unwrap();
    assert!(database.claim("sms", "1", 9).await.is_empty());
    assert_eq!(database.claim("telegram", "1", 9).await.len(), 1);
    assert_eq!(database.balanced(event).await, (2, 1));
}

async fn what_waited_past_its_deadline_expires(database: Database) {
    for name in ["a", "b", "c"] {
        let daily = NewCitizen { frequency: "daily".to_owned(), ..citizen(name, &["email"]) };
        database.join(daily).await;
    }
    database.join(citizen("d", &["email"])).await;
    let event = database.event("e").await;
    let plan = portevoix::store::Plan { deadline: Some(NOW + 100), ..plan(event) };
    database.store.plan_event(&plan).await.unwrap();
    let claimed = database.claim_one("email").await;
    let store = &database.store;
    assert_eq!(store.expire(NOW + 99, 10).await.unwrap(), 0);
    assert_eq!(store.expire(NOW + 100, 2).await.unwrap(), 2, "in batches");
    assert_eq!(store.expire(NOW + 100, 2).await.unwrap(), 1);
    assert_eq!(store.expire(NOW + 100, 2).await.unwrap(), 0, "what is in hand is left alone");
    assert_eq!(database.state(claimed).await, "claimed");
    let rows = store.deliveries_page(event, "expired", 0, 9).await.unwrap();
    assert!(rows.iter().all(|row| row.reason.as_deref() == Some("waits for the daily round")));
    assert_eq!(database.balanced(event).await, (4, 1));
}

async fn two_keepers_expire_each_row_once(database: Database) {
    for number in 0..60 {
        database.join(citizen(&number.to_string(), &["email"])).await;
    }
    let event = database.event("e").await;
    let plan = portevoix::store::Plan { deadline: Some(NOW), ..plan(event) };
    database.store.plan_event(&plan).await.unwrap();
    let other = database.another().await;
    let (one, two) = tokio::join!(database.store.expire(NOW, 40), other.expire(NOW, 40));
    let rest = database.store.expire(NOW, 40).await.unwrap();
    assert_eq!(one.unwrap() + two.unwrap() + rest, 60);
    assert!(database.store.claim(&claim("email", "1", 9)).await.unwrap().is_empty());
    assert_eq!(database.balanced(event).await, (60, 0));
}

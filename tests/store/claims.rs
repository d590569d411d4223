//! Claims: no two processes hold the same row.

use std::collections::BTreeSet;

use portevoix::store::Claim;

use crate::{
    databases::{Database, Kind, on_both},
    town::{NOW, citizen, claim, event, notice, outgoing, plan, settlement},
};

on_both!(
    claimers_never_share_a_row,
    notices_overtake_and_the_rest_keeps_its_order,
    nothing_before_it_is_due_and_nothing_of_another_channel,
    release_gives_the_attempt_back,
    what_dead_owners_held_is_taken_over,
    five_hundred_of_fifty_thousand,
);

async fn people(database: &Database, count: usize) {
    let batch: Vec<_> = (0..count).map(|number| citizen(&number.to_string(), &["email"])).collect();
    let told = |_: &portevoix::store::NewCitizen, name: &str| outgoing(&format!("joined {name}"));
    database.store.register(&batch, &told, NOW).await.unwrap();
}

/// A notice in the outbox, by way of an event that is not about it.
async fn queue(database: &Database, once: &str) {
    let reply = portevoix::store::NewReply {
        channel: "email".to_owned(),
        provider_id: once.to_owned(),
        sender: "s".to_owned(),
        fingerprint: "f".to_owned(),
        recipient: "r".to_owned(),
        sealed: "s".to_owned(),
        reference: None,
        received_at: NOW,
    };
    let store = &database.store;
    assert!(store.store_reply(&reply).await.unwrap());
    let stored = store.replies_in("stored", 1).await.unwrap().remove(0);
    let read = portevoix::store::ReadReply::default();
    let done = portevoix::store::ReplyState::Done;
    let notices = [notice(once, "email")];
    assert!(store.settle_reply(stored.id, done, &read, &notices, None, NOW).await.unwrap());
}

async fn claimers_never_share_a_row(database: Database) {
    people(&database, 300).await;
    let event = database.broadcast("e").await;
    let mut claimers = tokio::task::JoinSet::new();
    for owner in 0..4_u8 {
        let store = if owner == 0 { database.store.clone() } else { database.another().await };
        claimers.spawn(async move {
            let name = owner.to_string();
            let mut mine = Vec::new();
            loop {
                let got = store.claim(&claim("email", &name, 7)).await.unwrap();
                assert!(got.len() <= 7, "{} claimed with a limit of 7", got.len());
                if got.is_empty() {
                    return mine;
                }
                mine.extend(got.into_iter().map(|one| one.id));
            }
        });
    }
    let all: Vec<i64> = claimers.join_all().await.into_iter().flatten().collect();
    assert_eq!(all.len(), 300);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 300, "a row was claimed twice");
    assert_eq!(database.balanced(event).await, (300, 300), "claimed counts as pending");
}

async fn notices_overtake_and_the_rest_keeps_its_order(database: Database) {
    people(&database, 4).await;
    database.broadcast("first").await;
    let later = database.event("second").await;
    let mut second = plan(later);
    second.now = NOW - 5;
    database.store.plan_event(&second).await.unwrap();
    queue(&database, "n1").await;
    queue(&database, "n2").await;
    let claimed = database.claim("email", "1", 7).await;
    assert_eq!(claimed.len(), 7);
    let notices: Vec<_> = claimed.iter().map(|one| one.sealed.clone().unwrap()).take(2).collect();
    assert_eq!(notices, ["sealed n1", "sealed n2"]);
    assert!(claimed[..2].iter().all(|one| one.event.is_none() && one.notice.is_some()));
    assert!(claimed[2..6].iter().all(|one| one.event == Some(later)), "what fell due first");
    assert!(claimed[2..6].is_sorted_by_key(|one| one.id));
    assert!(claimed[2].sealed.as_deref().unwrap().ends_with(" email"));
    assert_eq!(claimed[2].address_state.as_deref(), Some("active"));
    assert_eq!((claimed[2].attempts, claimed[2].register_now.as_deref()), (1, Some("standard")));
    assert_eq!(database.claim("email", "1", 99).await.len(), 3);
}

async fn nothing_before_it_is_due_and_nothing_of_another_channel(database: Database) {
    database.join(citizen("now", &["email"])).await;
    let daily = portevoix::store::NewCitizen {
        frequency: "daily".to_owned(),
        themes: vec!["air".to_owned(), "eau".to_owned()],
        first_name: Some("sealed name".to_owned()),
        ..citizen("daily", &["email"])
    };
    database.join(daily).await;
    database.join(citizen("sms", &["sms"])).await;
    let event = database.broadcast("e").await;
    assert_eq!(database.claim("email", "1", 99).await.len(), 1);
    let due = plan(event).daily_at;
    assert_eq!(database.store.next_due("email", NOW).await.unwrap(), Some(due));
    assert_eq!(database.store.next_due("sms", NOW + 3).await.unwrap(), Some(NOW + 3));
    assert_eq!(database.store.next_due("telegram", NOW).await.unwrap(), None);
    let at = |now| Claim { now, ..claim("email", "1", 99) };
    assert!(database.store.claim(&at(due - 1)).await.unwrap().is_empty());
    let mut late = database.store.claim(&at(due)).await.unwrap();
    let late = late.remove(0);
    let mut themes: Vec<&str> = late.themes.as_deref().unwrap().split('|').collect();
    themes.sort_unstable();
    assert_eq!(themes, ["air", "eau"]);
    assert_eq!(late.first_name.as_deref(), Some("sealed name"));
}

async fn release_gives_the_attempt_back(database: Database) {
    people(&database, 3).await;
    let event = database.broadcast("e").await;
    let ids: Vec<i64> = database.claim("email", "1", 3).await.iter().map(|one| one.id).collect();
    let store = &database.store;
    assert_eq!(store.release("2", &ids, NOW).await.unwrap(), 0, "another's");
    assert_eq!(store.release("1", &ids[..2], NOW).await.unwrap(), 2);
    assert_eq!(store.release("1", &ids[..2], NOW).await.unwrap(), 0, "once");
    let given_back = store.delivery(ids[0]).await.unwrap().unwrap();
    assert_eq!((given_back.state.as_str(), given_back.attempts), ("pending", 0));
    assert_eq!(database.claim("email", "2", 9).await.len(), 2);
    assert_eq!(database.balanced(event).await, (3, 3));
}

async fn what_dead_owners_held_is_taken_over(database: Database) {
    people(&database, 4).await;
    let event = database.broadcast("e").await;
    let store = &database.store;
    database.claim("email", "dead", 2).await;
    database.claim("email", "alive", 1).await;
    let short = Claim { lease_until: NOW + 5, ..claim("email", "slow", 1) };
    store.claim(&short).await.unwrap();
    let mut owners = store.lease_owners().await.unwrap();
    owners.sort();
    assert_eq!(owners, ["alive", "dead", "slow"]);
    assert_eq!(store.take_over(&[], NOW + 5).await.unwrap(), 0);
    assert_eq!(store.take_over(&["dead".to_owned()], NOW + 5).await.unwrap(), 2);
    assert_eq!(store.take_over(&[], NOW + 6).await.unwrap(), 1, "its lease ran out");
    assert_eq!(store.lease_owners().await.unwrap(), ["alive"]);
    let again = Claim { now: NOW + 6, ..claim("email", "new", 9) };
    let again = store.claim(&again).await.unwrap();
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|one| one.attempts == 2), "an attempt that may have been made counts");
    let late = store.settle("dead", &[settlement(again[0].id, "sent")], NOW + 7).await.unwrap();
    assert_eq!(late.moved, 0, "who lost the lease has no say any more");
    assert_eq!(database.balanced(event).await, (4, 4));
}

async fn five_hundred_of_fifty_thousand(database: Database) {
    // written as the planner would, without 50,000 citizens
    database.store.store_event(&event("e", "k"), &crate::town::consultation("k")).await.unwrap();
    let rows = database.run(match database.kind {
        Kind::Sqlite => {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) \
             INSERT INTO delivery (event, citizen, channel, language, register, due_at, updated_at) \
             SELECT 1, i, 'email', 'fr', 'standard', 1000 + i % 7, 0 FROM n"
        }
        Kind::Postgres => {
            "INSERT INTO delivery (event, citizen, channel, language, register, due_at, updated_at) \
             SELECT 1, i, 'email', 'fr', 'standard', 1000 + i % 7, 0 FROM generate_series(1, 50000) i"
        }
    });
    assert_eq!(rows.await, 50_000);
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        let claimed = database.claim("email", "1", 500).await;
        assert_eq!(claimed.len(), 500);
        seen.extend(claimed.iter().map(|one| one.id));
    }
    assert_eq!(seen.len(), 2_000);
    let first = "SELECT COUNT(*) FROM delivery WHERE state = 'claimed' AND due_at = 1000";
    assert_eq!(database.number(first).await, 2_000, "what fell due first goes first");
}

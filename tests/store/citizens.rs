//! STOP, START and erasure.

use portevoix::store::{NewCitizen, NewContribution, NewReply};

use crate::{
    databases::{Database, on_both},
    town::{NOW, citizen, outgoing, print},
};

on_both!(
    an_objection_closes_one_channel_for_good,
    an_objection_of_an_unknown_address_is_kept,
    start_opens_it_again,
    erasure_leaves_fingerprints_and_anonymous_texts,
    nobody_is_erased_twice,
);

async fn an_objection_closes_one_channel_for_good(database: Database) {
    let person = database.join(citizen("a", &["sms", "email"])).await.id;
    let event = database.broadcast("e").await;
    let other = database.broadcast("f").await;
    let in_hand = database.claim_one("sms").await;
    let store = &database.store;
    let left = outgoing("left");
    let print = print("a", "sms");
    assert!(store.object("sms", &print, "stop", Some(&left), NOW).await.unwrap());
    assert!(!store.object("sms", &print, "stop", Some(&left), NOW).await.unwrap(), "once");
    let states = [database.balanced(event).await, database.balanced(other).await];
    assert_eq!(states, [(1, 1), (1, 0)], "what is in hand is looked at before it is sent");
    assert_eq!(database.state(in_hand).await, "claimed");
    let rows = store.deliveries_page(other, "suppressed", 0, 9).await.unwrap();
    assert_eq!(rows[0].reason.as_deref(), Some("stop"));
    let addresses = store.addresses(person).await.unwrap();
    assert_eq!(
        (addresses[0].state.as_str(), addresses[1].state.as_str()),
        ("suppressed", "active")
    );
    let told = store.unsent(9).await.unwrap();
    assert_eq!(told.iter().filter(|row| row.message_id == "left").count(), 1);
    store.release("1", &[in_hand], NOW).await.unwrap();
    let again = database.claim("sms", "1", 9).await;
    assert_eq!(again[0].address_state.as_deref(), Some("suppressed"));
}

async fn an_objection_of_an_unknown_address_is_kept(database: Database) {
    let store = &database.store;
    assert!(store.object("sms", &print("a", "sms"), "stop", None, NOW).await.unwrap());
    let later = database.join(citizen("a", &["sms", "email"])).await;
    assert_eq!(later.objected, ["sms"]);
    let event = database.broadcast("e").await;
    let rows = store.deliveries_page(event, "", 0, 9).await.unwrap();
    assert_eq!(rows[0].channel, "email");
}

async fn start_opens_it_again(database: Database) {
    let person = database.join(citizen("a", &["sms"])).await.id;
    let store = &database.store;
    let print = print("a", "sms");
    store.object("sms", &print, "stop", None, NOW).await.unwrap();
    assert!(store.resume("sms", &print, NOW + 1).await.unwrap());
    assert!(!store.resume("sms", "unknown", NOW).await.unwrap());
    assert_eq!(store.addresses(person).await.unwrap()[0].state, "active");
    let last = store.last_consent("p-a").await.unwrap().unwrap();
    assert_eq!(last, (NOW + 1, "START".to_owned()));
    assert_eq!(database.number("SELECT COUNT(*) FROM suppression").await, 0);
    let event = database.broadcast("e").await;
    assert_eq!(database.balanced(event).await, (1, 1));
    assert!(store.object("sms", &print, "stop", None, NOW + 2).await.unwrap(), "and closes again");
    assert_eq!(database.balanced(event).await, (1, 0));
}

fn reply(id: &str, name: &str) -> NewReply {
    NewReply {
        channel: "email".to_owned(),
        provider_id: id.to_owned(),
        sender: "sealed sender".to_owned(),
        fingerprint: print(name, "email"),
        recipient: "r".to_owned(),
        sealed: "sealed raw".to_owned(),
        reference: None,
        received_at: NOW,
    }
}

async fn erasure_leaves_fingerprints_and_anonymous_texts(database: Database) {
    let new = NewCitizen {
        themes: vec!["air".to_owned()],
        groups: vec!["panel".to_owned()],
        ..citizen("a", &["email", "sms"])
    };
    let person = database.join(new).await.id;
    database.join(citizen("b", &["email"])).await;
    let event = database.broadcast("e").await;
    let store = &database.store;
    store.author(person, "k", "pseudonym").await.unwrap();
    let contribution = NewContribution {
        id: "id".to_owned(),
        number: "n".to_owned(),
        consultation: "k".to_owned(),
        event: Some(event),
        citizen: Some(person),
        author: "pseudonym".to_owned(),
        channel: "email".to_owned(),
        language: "fr".to_owned(),
        text: "Plus d'arbres. Jeanne".to_owned(),
        answer: None,
        attachments: "[]".to_owned(),
        reply: None,
        received_at: NOW,
    };
    let row = outgoing("contribution");
    assert!(store.add_contribution(&contribution, &row, None, NOW).await.unwrap());
    assert!(store.store_reply(&reply("unread", "a")).await.unwrap());
    assert!(store.store_reply(&reply("another's", "b")).await.unwrap());
    let anonymise = |text: &str| text.replace(" Jeanne", "");
    assert!(store.erase("p-a", &anonymise, &outgoing("left"), NOW).await.unwrap());

    assert!(store.citizen(person).await.unwrap().is_none());
    assert!(store.citizen_at("email", &print("a", "email")).await.unwrap().is_none());
    let kept = store.latest_contributions("k", 9).await.unwrap().remove(0);
    assert_eq!((kept.text.as_str(), kept.citizen), ("Plus d'arbres.", None));
    let waiting = store.replies_in("stored", 9).await.unwrap();
    assert_eq!(waiting.len(), 1, "what nobody had read yet is gone too");
    assert_eq!(waiting[0].provider_id, "another's");
    let left = "SELECT (SELECT COUNT(*) FROM author) + (SELECT COUNT(*) FROM citizen_theme) \
                + (SELECT COUNT(*) FROM citizen_group) + (SELECT COUNT(*) FROM reply WHERE sealed <> '' \
                  AND provider_id = 'unread')";
    assert_eq!(database.number(left).await, 0);
    assert_eq!(database.number("SELECT COUNT(*) FROM suppression").await, 2);
    assert_eq!(database.balanced(event).await, (2, 1), "the balance outlives the person");
    let back = database.join(citizen("a", &["email", "sms"])).await;
    assert_eq!(back.objected, ["email", "sms"], "an old list brings nobody back");
}

async fn nobody_is_erased_twice(database: Database) {
    database.join(citizen("a", &["email"])).await;
    let store = &database.store;
    let same = |text: &str| text.to_owned();
    assert!(store.erase("x-a", &same, &outgoing("left"), NOW).await.unwrap());
    assert!(!store.erase("x-a", &same, &outgoing("left again"), NOW).await.unwrap());
    assert!(!store.erase("nobody", &same, &outgoing("left too"), NOW).await.unwrap());
    assert_eq!(store.unsent(9).await.unwrap().len(), 2, "joined and left, each once");
}

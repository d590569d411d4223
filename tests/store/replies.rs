//! What came in: stored once, moved under guard, asked back.

use portevoix::store::{NewReply, OpenConsultation, ReadReply, ReplyRow, ReplyState};

use crate::{
    databases::{Database, on_both},
    town::{HOUR, NOW, citizen, consultation, event, notice, plan, print},
};

on_both!(
    stored_once_by_channel_and_provider_id,
    settled_once_with_its_notices,
    staff_decide_on_what_is_held,
    a_question_is_settled_by_the_next_answer,
    open_consultations_of_an_address,
);

fn new(channel: &str, provider_id: &str) -> NewReply {
    NewReply {
        channel: channel.to_owned(),
        provider_id: provider_id.to_owned(),
        sender: "sealed".to_owned(),
        fingerprint: print("a", channel),
        recipient: "r".to_owned(),
        sealed: "sealed raw".to_owned(),
        reference: Some(format!("ref {provider_id}")),
        received_at: NOW,
    }
}

async fn stored(database: &Database, provider_id: &str) -> ReplyRow {
    assert!(database.store.store_reply(&new("sms", provider_id)).await.unwrap());
    database.store.replies_in("stored", 99).await.unwrap().pop().unwrap()
}

async fn settle(database: &Database, id: i64, to: ReplyState, class: &str) -> bool {
    let notices = [notice("once", "sms")];
    let notices = if to == ReplyState::Held { &[][..] } else { &notices[..] };
    database.store.settle_reply(id, to, &read(class), notices, None, NOW).await.unwrap()
}

fn read(class: &str) -> ReadReply {
    ReadReply { class: class.to_owned(), text: Some("Oui.".to_owned()), ..ReadReply::default() }
}

async fn stored_once_by_channel_and_provider_id(database: Database) {
    let store = &database.store;
    assert!(store.store_reply(&new("sms", "1")).await.unwrap());
    assert!(!store.store_reply(&new("sms", "1")).await.unwrap());
    assert!(store.store_reply(&new("email", "1")).await.unwrap());
    let other = database.another().await;
    let row = new("sms", "2");
    let (a, b) = tokio::join!(store.store_reply(&row), other.store_reply(&row));
    assert_ne!(a.unwrap(), b.unwrap());
    let waiting = store.replies_in("stored", 99).await.unwrap();
    assert_eq!(waiting.len(), 3);
    assert!(waiting.is_sorted_by_key(|row| row.id), "oldest first");
    assert_eq!(store.replies_since("sms", &print("a", "sms"), NOW - 1).await.unwrap(), 2);
    assert_eq!(store.replies_since("sms", &print("a", "sms"), NOW).await.unwrap(), 0);
    let found = store.reply_as("sms", "ref 1").await.unwrap().unwrap();
    assert_eq!((found.channel.as_str(), found.provider_id.as_str()), ("sms", "1"));
}

async fn settled_once_with_its_notices(database: Database) {
    let reply = stored(&database, "1").await;
    assert!(settle(&database, reply.id, ReplyState::Done, "stop").await);
    let again = settle(&database, reply.id, ReplyState::Matched, "reply").await;
    assert!(!again, "another process was first");
    let row = database.store.reply(reply.id).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.class.as_deref()), ("done", Some("stop")));
    let second = stored(&database, "2").await;
    assert!(settle(&database, second.id, ReplyState::Ignored, "auto_reply").await);
    assert_eq!(database.claim("sms", "1", 9).await.len(), 1, "one notice for each `once`, ever");
}

async fn staff_decide_on_what_is_held(database: Database) {
    let store = &database.store;
    let mut held = Vec::new();
    for name in ["1", "2", "3"] {
        let reply = stored(&database, name).await;
        assert!(settle(&database, reply.id, ReplyState::Held, "reply").await);
        held.push(reply.id);
    }
    assert_eq!(store.count_held().await.unwrap(), 3);
    assert!(store.decide_reply(held[0], Some("k"), "staff", NOW).await.unwrap());
    assert!(store.decide_reply(held[1], None, "spam", NOW).await.unwrap());
    assert!(!store.decide_reply(held[1], Some("k"), "staff", NOW).await.unwrap(), "decided");
    assert_eq!(store.count_held().await.unwrap(), 1);
    let matched = store.replies_in("matched", 9).await.unwrap();
    assert_eq!((matched[0].id, matched[0].consultation.as_deref()), (held[0], Some("k")));
    let rejected = store.reply(held[1]).await.unwrap().unwrap();
    assert_eq!((rejected.state.as_str(), rejected.reason.as_deref()), ("rejected", Some("spam")));
    store.hold_reply(held[0], "closed", NOW).await.unwrap();
    store.hold_reply(held[1], "closed", NOW).await.unwrap();
    let state = async |id| store.reply(id).await.unwrap().unwrap().state;
    assert_eq!((state(held[0]).await, state(held[1]).await), ("held".into(), "rejected".into()));
}

async fn a_question_is_settled_by_the_next_answer(database: Database) {
    let store = &database.store;
    let asked = stored(&database, "1").await;
    let choices = Some(r#"["j","k"]"#);
    store
        .settle_reply(asked.id, ReplyState::Held, &read("reply"), &[], choices, NOW)
        .await
        .unwrap();
    let answer = stored(&database, "2").await;
    let print = print("a", "sms");
    let find = async |since| store.open_question("sms", &print, since).await.unwrap();
    assert!(find(NOW).await.is_none(), "asked too long ago");
    let question = find(NOW - 1).await.unwrap();
    assert_eq!((question.reply, question.choices.as_str()), (asked.id, r#"["j","k"]"#));
    let chosen = OpenConsultation {
        id: "k".to_owned(),
        title: "{}".to_owned(),
        question: None,
        delivery: 3,
        event: 1,
        citizen: 2,
    };
    assert!(store.answer_question(&question, answer.id, &chosen, NOW).await.unwrap());
    assert!(!store.answer_question(&question, answer.id, &chosen, NOW).await.unwrap(), "once");
    assert!(find(NOW - 1).await.is_none());
    let matched = store.reply(asked.id).await.unwrap().unwrap();
    assert_eq!((matched.state.as_str(), matched.consultation.as_deref()), ("matched", Some("k")));
    assert_eq!((matched.event, matched.citizen, matched.delivery), (Some(1), Some(2), Some(3)));
    assert_eq!(store.reply(answer.id).await.unwrap().unwrap().state, "done");
}

async fn open_consultations_of_an_address(database: Database) {
    let store = &database.store;
    database.join(citizen("a", &["sms"])).await;
    database.join(citizen("b", &["sms"])).await;
    // about: an open one (twice), one that ended long ago, one that takes no opinion, one examined
    for (name, about, closes, accepts, phase) in [
        ("1", "open", Some(NOW), 1, 1),
        ("2", "ended", Some(NOW - 30 * HOUR), 1, 1),
        ("3", "silent", None, 0, 1),
        ("4", "examined", None, 1, 4),
        ("5", "open", Some(NOW), 1, 1),
        ("6", "new", None, 1, 2),
    ] {
        let mut row = consultation(about);
        (row.closes, row.accepts, row.phase) = (closes, accepts, phase);
        assert!(store.store_event(&event(name, about), &row).await.unwrap());
        let id = store.events_named(name).await.unwrap()[0].id;
        store.plan_event(&plan(id)).await.unwrap();
    }
    let print = print("a", "sms");
    let open = async || store.open_consultations("sms", &print, NOW).await.unwrap();
    assert!(open().await.is_empty(), "nothing has gone out");
    let claimed = database.claim("sms", "1", 99).await;
    let found = open().await;
    let names: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(names, ["new", "open"], "the newest first, a day of grace");
    let about = store.sent_to(found[1].delivery).await.unwrap().unwrap();
    assert_eq!(about.fingerprint.as_deref(), Some(print.as_str()));
    assert_eq!(about.event, Some(store.events_named("5").await.unwrap()[0].id));
    assert_eq!(claimed.len(), 12);
}

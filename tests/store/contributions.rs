//! One contribution a reply; amended, withdrawn; read page by page.

use portevoix::store::{ContributionRow, NewContribution, NewReply, Page, ReadReply, ReplyState};

use crate::{
    databases::{Database, on_both},
    town::{NOW, notice, outgoing},
};

on_both!(
    a_reply_becomes_one,
    amended_and_withdrawn,
    one_pseudonym_for_each_consultation,
    pages_lose_and_repeat_nothing,
);

fn contribution(name: &str, consultation: &str, received_at: i64) -> NewContribution {
    NewContribution {
        id: format!("id-{name}"),
        number: format!("n-{name}"),
        consultation: consultation.to_owned(),
        event: None,
        citizen: Some(1),
        author: "pseudonym".to_owned(),
        channel: "sms".to_owned(),
        language: "fr".to_owned(),
        text: "Oui.".to_owned(),
        answer: Some("oui".to_owned()),
        attachments: "[]".to_owned(),
        reply: None,
        received_at,
    }
}

/// A reply that was matched; its id.
async fn matched(database: &Database, name: &str) -> i64 {
    let new = NewReply {
        channel: "sms".to_owned(),
        provider_id: name.to_owned(),
        sender: "s".to_owned(),
        fingerprint: "f".to_owned(),
        recipient: "r".to_owned(),
        sealed: "s".to_owned(),
        reference: None,
        received_at: NOW,
    };
    let store = &database.store;
    assert!(store.store_reply(&new).await.unwrap());
    let id = store.replies_in("stored", 1).await.unwrap()[0].id;
    let read = ReadReply { class: "reply".to_owned(), ..ReadReply::default() };
    assert!(store.settle_reply(id, ReplyState::Matched, &read, &[], None, NOW).await.unwrap());
    id
}

async fn a_reply_becomes_one(database: Database) {
    let reply = matched(&database, "1").await;
    let other = database.another().await;
    let one = NewContribution { reply: Some(reply), ..contribution("1", "k", NOW) };
    let two = NewContribution { reply: Some(reply), ..contribution("2", "k", NOW) };
    let row = outgoing("contribution of 1");
    let receipt = notice("receipt of 1", "sms");
    let (a, b) = tokio::join!(
        database.store.add_contribution(&one, &row, Some(&receipt), NOW),
        other.add_contribution(&two, &row, Some(&receipt), NOW)
    );
    assert_ne!(a.unwrap(), b.unwrap());
    let store = &database.store;
    assert_eq!(store.latest_contributions("", 9).await.unwrap().len(), 1);
    assert!(store.contribution_of_reply(reply).await.unwrap().is_some());
    assert_eq!(store.unsent(9).await.unwrap().len(), 1);
    assert_eq!(database.claim("sms", "1", 9).await.len(), 1, "one receipt");
    assert_eq!(store.reply(reply).await.unwrap().unwrap().state, "done");
}

async fn change(database: &Database, state: &str, text: &str, reply: i64) -> bool {
    let row = outgoing(&format!("{state} by {reply}"));
    let receipt = notice(&row.message_id, "sms");
    let (store, at) = (&database.store, NOW + 1);
    store
        .change_contribution("id-1", state, text, None, reply, &row, Some(&receipt), at)
        .await
        .unwrap()
}

async fn amended_and_withdrawn(database: Database) {
    let store = &database.store;
    let row = outgoing("first");
    assert!(store.add_contribution(&contribution("1", "k", NOW), &row, None, NOW).await.unwrap());
    let later = contribution("2", "k", NOW + 1);
    store.add_contribution(&later, &outgoing("second"), None, NOW).await.unwrap();
    let last = async || store.last_contribution(1, "k").await.unwrap().map(|one| one.id);
    assert_eq!(last().await.as_deref(), Some("id-2"), "the newest");
    let replies = [
        matched(&database, "a").await,
        matched(&database, "b").await,
        matched(&database, "c").await,
    ];
    assert!(change(&database, "amended", "Non.", replies[0]).await);
    let find = async || -> ContributionRow {
        let all = store.latest_contributions("k", 9).await.unwrap();
        all.into_iter().find(|one| one.id == "id-1").unwrap()
    };
    let now = find().await;
    assert_eq!((now.state.as_str(), now.text.as_str()), ("amended", "Non."));
    assert_eq!((now.received_at, now.updated_at, now.answer), (NOW, NOW + 1, None));
    assert!(change(&database, "withdrawn", "", replies[1]).await);
    assert!(!change(&database, "amended", "Si.", replies[2]).await, "withdrawn for good");
    assert_eq!(find().await.state, "withdrawn");
    for reply in replies {
        assert_eq!(store.reply(reply).await.unwrap().unwrap().state, "done");
    }
    assert_eq!(store.unsent(9).await.unwrap().len(), 4);
    assert_eq!(database.claim("sms", "1", 9).await.len(), 2);
    assert_eq!(last().await.as_deref(), Some("id-2"));
    assert!(store.last_contribution(1, "another").await.unwrap().is_none());
}

async fn one_pseudonym_for_each_consultation(database: Database) {
    let other = database.another().await;
    let (a, b) =
        tokio::join!(database.store.author(1, "k", "first"), other.author(1, "k", "second"));
    let name = a.unwrap();
    assert_eq!(name, b.unwrap());
    assert_eq!(database.store.author(1, "k", "third").await.unwrap(), name);
    assert_eq!(database.store.author(1, "j", "elsewhere").await.unwrap(), "elsewhere");
    assert_eq!(database.store.author(2, "k", "another's").await.unwrap(), "another's");
}

async fn pages_lose_and_repeat_nothing(database: Database) {
    let store = &database.store;
    let add = async |name: &str, consultation: &str, at: i64| {
        let new = contribution(name, consultation, at);
        store.add_contribution(&new, &outgoing(name), None, NOW).await.unwrap();
    };
    for number in 0..23 {
        // several in the same millisecond, and not in the order of their ids
        let about = if number % 3 == 0 { "j" } else { "k" };
        add(&format!("{:02}", number * 7 % 23), about, NOW + number / 5).await;
    }
    for (consultation, expected) in [("", 23), ("k", 15), ("j", 8), ("none", 0)] {
        let mut page = Page { limit: 4, ..Page::default() };
        let mut ids = Vec::new();
        loop {
            let rows = store.contributions_page(consultation, &page).await.unwrap();
            assert!(rows.len() <= 4);
            let Some(last) = rows.last() else { break };
            (page.received_at, page.id) = (last.received_at, last.id.clone());
            ids.extend(rows.into_iter().map(|one| (one.received_at, one.id)));
        }
        assert_eq!(ids.len(), expected, "{consultation}");
        assert!(ids.is_sorted_by(|one, two| one < two), "{ids:?}");
    }
    // one that comes while somebody reads lies behind their cursor
    let page = Page { limit: 23, ..Page::default() };
    let seen = store.contributions_page("", &page).await.unwrap();
    let last = seen.last().unwrap();
    add("zz", "k", NOW + 99).await;
    let next = Page { received_at: last.received_at, id: last.id.clone(), limit: 9 };
    let new = store.contributions_page("", &next).await.unwrap();
    assert_eq!(new.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["id-zz"]);
    assert_eq!(store.latest_contributions("", 1).await.unwrap()[0].id, "id-zz");
    assert_eq!(store.latest_contributions("j", 99).await.unwrap().len(), 8);
}

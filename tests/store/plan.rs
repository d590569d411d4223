//! Who gets an event, on which channel, when.

use portevoix::store::{AWAITS_PLAIN, NewCitizen, Plan, Who};

use crate::{
    databases::{Database, on_both},
    town::{HOUR, NOW, citizen, outgoing, plan, print},
};

on_both!(
    every_rule,
    communes_themes_and_groups,
    the_first_active_channel_of_ones_own_order,
    children_are_never_written_to,
    rounds_and_plain_texts,
    planning_twice_does_nothing,
    two_planners_at_once,
);

/// Plans a new event, and names who gets it.
async fn planned(database: &Database, name: &str, change: impl FnOnce(&mut Plan)) -> Vec<String> {
    let event = database.event(name).await;
    let mut plan = plan(event);
    change(&mut plan);
    let count = database.store.plan_event(&plan).await.unwrap().unwrap();
    let rows = database.store.deliveries_page(event, "", 0, 100).await.unwrap();
    assert_eq!(rows.len() as u64, count);
    assert_eq!(database.balanced(event).await, (count.cast_signed(), count.cast_signed()));
    let mut names: Vec<String> =
        rows.into_iter().map(|row| row.pseudonym.unwrap()[2..].to_owned()).collect();
    names.sort();
    names
}

async fn contribute(database: &Database, name: &str, citizen: i64, state: &str) {
    let new = portevoix::store::NewContribution {
        id: format!("id-{name}"),
        number: format!("n-{name}"),
        consultation: "k".to_owned(),
        event: None,
        citizen: Some(citizen),
        author: format!("a-{name}"),
        channel: "email".to_owned(),
        language: "fr".to_owned(),
        text: "Oui.".to_owned(),
        answer: None,
        attachments: "[]".to_owned(),
        reply: None,
        received_at: NOW,
    };
    let store = &database.store;
    assert!(store.add_contribution(&new, &outgoing(name), None, NOW).await.unwrap());
    if state == "withdrawn" {
        let gone = outgoing(&format!("{name} withdrawn"));
        let done = store.change_contribution(&new.id, state, "", None, 0, &gone, None, NOW).await;
        assert!(done.unwrap());
    }
}

async fn every_rule(database: Database) {
    let roubaix =
        |name: &str| NewCitizen { commune: "59512".to_owned(), ..citizen(name, &["email"]) };
    let answered = database.join(citizen("answered", &["email"])).await.id;
    database.join(citizen("silent", &["email"])).await;
    let far = database.join(roubaix("far")).await.id;
    database.join(roubaix("farsilent")).await;
    let withdrew = database.join(citizen("withdrew", &["email"])).await.id;
    contribute(&database, "one", answered, "received").await;
    contribute(&database, "two", far, "received").await;
    contribute(&database, "three", withdrew, "withdrawn").await;
    for (name, who, expected) in [
        ("a", Who::Audience, &["answered", "silent", "withdrew"][..]),
        ("b", Who::NotAnswered, &["silent", "withdrew"][..]),
        ("c", Who::AudienceAndContributors, &["answered", "far", "silent", "withdrew"][..]),
        ("d", Who::Contributors, &["answered", "far"][..]),
    ] {
        let got = planned(&database, name, |plan| {
            plan.who = who;
            plan.communes = vec!["59350".to_owned()];
        });
        assert_eq!(got.await, expected, "{who:?}");
    }
    let other = planned(&database, "e", |plan| {
        plan.who = Who::Contributors;
        plan.consultation = "another".to_owned();
    });
    assert!(other.await.is_empty());
}

async fn communes_themes_and_groups(database: Database) {
    let with = |name: &str, commune: &str, themes: &[&str], groups: &[&str]| NewCitizen {
        commune: commune.to_owned(),
        themes: themes.iter().map(ToString::to_string).collect(),
        groups: groups.iter().map(ToString::to_string).collect(),
        ..citizen(name, &["email"])
    };
    database.join(with("a", "59350", &["air", "eau"], &["panel"])).await;
    database.join(with("b", "59512", &["eau"], &[])).await;
    database.join(with("c", "59512", &[], &["panel"])).await;
    database.join(with("d", "", &["l'été \"chaud\""], &[])).await;
    type Names = &'static [&'static str];
    let cases: [(Names, Names, Names, Names); 9] = [
        (&[], &[], &[], &["a", "b", "c", "d"]),
        (&["59350"], &[], &[], &["a"]),
        (&["59350", "59512"], &[], &[], &["a", "b", "c"]),
        (&[], &["air", "eau"], &[], &["a", "b"]),
        (&[], &["l'été \"chaud\""], &[], &["d"]),
        (&[], &[], &["panel"], &["a", "c"]),
        (&["59512"], &["eau"], &[], &["b"]),
        (&["59512"], &["eau"], &["panel"], &[]),
        (&["59000"], &[], &[], &[]),
    ];
    for (number, (communes, themes, groups, expected)) in cases.into_iter().enumerate() {
        let list = |items: &[&str]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
        let name = number.to_string();
        let got = planned(&database, &name, |plan| {
            plan.communes = list(communes);
            plan.themes = list(themes);
            plan.groups = list(groups);
        });
        assert_eq!(got.await, expected, "{communes:?} {themes:?} {groups:?}");
    }
}

async fn the_first_active_channel_of_ones_own_order(database: Database) {
    database.join(citizen("mail", &["email", "sms"])).await;
    database.join(citizen("phone", &["sms", "email"])).await;
    database.join(citizen("stopped", &["telegram", "sms", "email"])).await;
    database.join(citizen("gone", &["sms"])).await;
    let store = &database.store;
    for (name, channel) in [("stopped", "telegram"), ("gone", "sms")] {
        assert!(store.object(channel, &print(name, channel), "stop", None, NOW).await.unwrap());
    }
    let event = database.broadcast("e").await;
    let rows = store.deliveries_page(event, "", 0, 100).await.unwrap();
    let mut got: Vec<_> =
        rows.iter().map(|row| (row.pseudonym.as_deref().unwrap(), row.channel.as_str())).collect();
    got.sort_unstable();
    assert_eq!(got, [("p-mail", "email"), ("p-phone", "sms"), ("p-stopped", "sms")]);
}

async fn children_are_never_written_to(database: Database) {
    for (name, age_band) in [("child", "under15"), ("young", "15-25"), ("old", "adult")] {
        let age_band = age_band.to_owned();
        let id = database.join(NewCitizen { age_band, ..citizen(name, &["email"]) }).await.id;
        contribute(&database, name, id, "received").await;
    }
    for who in [Who::Audience, Who::AudienceAndContributors, Who::Contributors] {
        let name = format!("{who:?}");
        let got = planned(&database, &name, |plan| plan.who = who);
        assert_eq!(got.await, ["old", "young"], "{who:?}");
    }
}

async fn rounds_and_plain_texts(database: Database) {
    let with = |name: &str, register: &str, frequency: &str, language: &str| NewCitizen {
        register: register.to_owned(),
        frequency: frequency.to_owned(),
        language: language.to_owned(),
        ..citizen(name, &["email"])
    };
    database.join(with("at-once", "standard", "immediate", "fr")).await;
    database.join(with("daily", "standard", "daily", "fr")).await;
    database.join(with("weekly", "standard", "weekly", "fr")).await;
    database.join(with("plain-nl", "plain", "immediate", "nl")).await;
    database.join(with("plain-fr", "plain", "daily", "fr")).await;
    // nobody waits · those without a text wait · everybody waits
    for (name, languages, waiting) in [
        ("a", None, &[][..]),
        ("b", Some(vec!["nl".to_owned()]), &["plain-fr"][..]),
        ("c", Some(Vec::new()), &["plain-fr", "plain-nl"][..]),
    ] {
        let event = database.event(name).await;
        let plan =
            Plan { plain_languages: languages, deadline: Some(NOW + 2_000 * HOUR), ..plan(event) };
        database.store.plan_event(&plan).await.unwrap().unwrap();
        let rows = database.store.deliveries_page(event, "", 0, 100).await.unwrap();
        assert_eq!(rows.len(), 5);
        for row in rows {
            let who = &row.pseudonym.unwrap()[2..];
            let (due, reason) = match who {
                _ if waiting.contains(&who) => (plan.plain_waits_until, Some(AWAITS_PLAIN)),
                "daily" | "plain-fr" => (plan.daily_at, Some("waits for the daily round")),
                "weekly" => (plan.weekly_at, Some("waits for the weekly round")),
                _ => (NOW, None),
            };
            assert_eq!((row.due_at, row.reason.as_deref()), (due, reason), "{name} {who}");
        }
        let let_go = database.store.release_plain(event, NOW + 1).await.unwrap();
        assert_eq!(let_go, waiting.len() as u64, "{name}");
        assert_eq!(database.balanced(event).await, (5, 5));
    }
    let lasting = database.claim("email", "1", 99).await;
    assert!(lasting.iter().all(|one| one.deadline == Some(NOW + 2_000 * HOUR)));
}

async fn planning_twice_does_nothing(database: Database) {
    database.join(citizen("a", &["email"])).await;
    let event = database.broadcast("e").await;
    assert_eq!(database.store.event(event).await.unwrap().unwrap().planned_at, Some(NOW));
    database.join(citizen("b", &["email"])).await;
    assert_eq!(database.store.plan_event(&plan(event)).await.unwrap(), None);
    assert_eq!(database.balanced(event).await, (1, 1));
    assert_eq!(database.store.plan_event(&plan(event + 99)).await.unwrap(), None);
}

async fn two_planners_at_once(database: Database) {
    for number in 0..20 {
        database.join(citizen(&number.to_string(), &["email"])).await;
    }
    let other = database.another().await;
    for name in 0..5 {
        let event = database.event(&format!("e{name}")).await;
        let plan = plan(event);
        let (one, two) = tokio::join!(database.store.plan_event(&plan), other.plan_event(&plan));
        let mut counts = [one.unwrap(), two.unwrap()];
        counts.sort_unstable();
        assert_eq!(counts, [None, Some(20)]);
        assert_eq!(database.balanced(event).await, (20, 20));
    }
}

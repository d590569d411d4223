//! Who is who: known by external id or by an address, refused where that is not clear.

use portevoix::store::{NewCitizen, Refusal};

use crate::{
    databases::{Database, on_both},
    town::{HOUR, NOW, citizen, outgoing, print},
};

on_both!(
    known_by_external_id_or_by_address,
    refused_where_it_is_not_clear_who,
    what_comes_replaces_what_was,
    an_objection_stands_until_a_newer_consent,
    a_dead_address_stays_dead_until_a_newer_consent,
    consent_is_only_added,
    two_processes_never_make_two_of_one,
    a_reader_that_becomes_a_writer_is_not_refused,
);

async fn register(database: &Database, new: NewCitizen) -> Result<(i64, bool), Refusal> {
    let told = |_: &NewCitizen, name: &str| outgoing(&format!("joined {name}"));
    let mut results = database.store.register(&[new], &told, NOW).await.unwrap();
    results.remove(0).map(|done| (done.id, done.new))
}

async fn known_by_external_id_or_by_address(database: Database) {
    let (id, new) = register(&database, citizen("a", &["email"])).await.unwrap();
    assert!(new);
    let mut again = citizen("a", &["sms"]);
    again.pseudonym = "p-other".to_owned();
    assert_eq!(register(&database, again).await, Ok((id, false)), "by external id");
    let mut nameless = citizen("a", &["email"]);
    nameless.external_id = None;
    assert_eq!(register(&database, nameless.clone()).await, Ok((id, false)), "by address");
    let person = database.store.citizen(id).await.unwrap().unwrap();
    assert_eq!((person.pseudonym.as_str(), person.external_id.as_deref()), ("p-a", Some("x-a")));
    for name in ["p-a", "x-a"] {
        assert_eq!(database.store.citizen_named(name).await.unwrap().unwrap().id, id);
    }
    let at = database.store.citizen_at("sms", &print("a", "sms")).await.unwrap();
    assert_eq!(at.unwrap().id, id);
    assert_eq!(database.store.unsent(9).await.unwrap().len(), 1, "who joined is told once");
    let mut anonymous = citizen("b", &["email"]);
    anonymous.external_id = None;
    let (other, _) = register(&database, anonymous).await.unwrap();
    assert_eq!(register(&database, citizen("b", &["email"])).await, Ok((other, false)));
    assert_eq!(database.store.citizen_named("x-b").await.unwrap().unwrap().id, other);
    let page = database.store.citizens_after(0, 9).await.unwrap();
    assert_eq!(page.iter().map(|one| one.id).collect::<Vec<_>>(), [id, other]);
}

async fn refused_where_it_is_not_clear_who(database: Database) {
    register(&database, citizen("a", &["email"])).await.unwrap();
    register(&database, citizen("b", &["sms"])).await.unwrap();
    let mut taken = citizen("c", &["email"]);
    taken.addresses[0].fingerprint = print("a", "email");
    let refusal = Refusal::AddressTaken("email".to_owned());
    assert_eq!(register(&database, taken.clone()).await, Err(refusal.clone()));
    taken.external_id = Some("x-b".to_owned());
    assert_eq!(register(&database, taken).await, Err(refusal), "another's address");
    let mut both = citizen("d", &["email", "sms"]);
    both.external_id = None;
    both.addresses[0].fingerprint = print("a", "email");
    both.addresses[1].fingerprint = print("b", "sms");
    let told = |_: &NewCitizen, name: &str| outgoing(&format!("joined {name}"));
    let batch = [both, citizen("e", &["email"])];
    let results = database.store.register(&batch, &told, NOW).await.unwrap();
    assert_eq!(results[0], Err(Refusal::TwoCitizens));
    assert!(results[1].is_ok(), "a refusal concerns its row alone");
    assert_eq!(database.store.count_citizens().await.unwrap(), 3);
}

async fn what_comes_replaces_what_was(database: Database) {
    let mut first = citizen("a", &["email", "sms"]);
    first.first_name = Some("sealed".to_owned());
    first.themes = vec!["air".to_owned(), "eau".to_owned()];
    first.groups = vec!["panel".to_owned()];
    let (id, _) = register(&database, first).await.unwrap();
    let mut second = citizen("a", &["sms", "email"]);
    second.addresses[1].fingerprint = "f-new".to_owned();
    second.addresses[1].sealed = "sealed new".to_owned();
    second.commune = "59512".to_owned();
    second.themes = vec!["eau".to_owned(), "eau".to_owned()];
    register(&database, second).await.unwrap();
    let store = &database.store;
    let person = store.citizen(id).await.unwrap().unwrap();
    assert_eq!((person.commune.as_str(), person.first_name.as_deref()), ("59512", Some("sealed")));
    let (themes, groups) = store.interests(id).await.unwrap();
    assert_eq!((themes, groups), (vec!["eau".to_owned()], vec![]));
    let addresses = store.addresses(id).await.unwrap();
    let shown: Vec<_> =
        addresses.iter().map(|one| (one.channel.as_str(), one.sealed.as_str())).collect();
    assert_eq!(shown, [("sms", "sealed a sms"), ("email", "sealed new")], "in the new order");
    assert!(store.citizen_at("email", &print("a", "email")).await.unwrap().is_none());
}

async fn an_objection_stands_until_a_newer_consent(database: Database) {
    let (id, _) = register(&database, citizen("a", &["email", "sms"])).await.unwrap();
    let store = &database.store;
    assert!(store.object("sms", &print("a", "sms"), "stop", None, NOW).await.unwrap());
    let done = database.join(citizen("a", &["email", "sms"])).await;
    assert_eq!(done.objected, ["sms"], "the consent is older than the objection");
    let state = async || store.addresses(id).await.unwrap()[1].state.clone();
    assert_eq!(state().await, "suppressed");
    let newer = NewCitizen { consent_at: NOW + 1, ..citizen("a", &["email", "sms"]) };
    assert!(database.join(newer).await.objected.is_empty());
    assert_eq!(state().await, "active");
    let older = database.join(citizen("a", &["sms"])).await;
    assert!(older.objected.is_empty(), "an older consent repeated takes nothing back");
    assert_eq!(state().await, "active");
}

async fn a_dead_address_stays_dead_until_a_newer_consent(database: Database) {
    let (id, _) = register(&database, citizen("a", &["email"])).await.unwrap();
    database.broadcast("e").await;
    let failed = database.claim_one("email").await;
    let dead = portevoix::store::Settlement {
        dead_address: Some("5.1.1".to_owned()),
        ..crate::town::settlement(failed, "failed")
    };
    let store = &database.store;
    store.settle("1", &[dead], NOW).await.unwrap();
    let state = async || store.addresses(id).await.unwrap()[0].state.clone();
    database.join(citizen("a", &["email"])).await;
    assert_eq!(state().await, "suppressed", "the nightly import revives nobody");
    let told = |_: &NewCitizen, name: &str| outgoing(name);
    store.register(&[citizen("a", &["email"])], &told, NOW + 9).await.unwrap();
    // newer than the death, older than the last import of the old consent
    database.join(NewCitizen { consent_at: NOW + 1, ..citizen("a", &["email"]) }).await;
    assert_eq!(state().await, "active");
}

async fn consent_is_only_added(database: Database) {
    let counted = "SELECT COUNT(*) FROM consent";
    database.join(citizen("a", &["email", "sms"])).await;
    assert_eq!(database.number(counted).await, 2);
    database.join(citizen("a", &["email", "sms"])).await;
    assert_eq!(database.number(counted).await, 2, "the same consent twice is one");
    let newer = NewCitizen {
        consent_at: NOW - HOUR + 1,
        consent_source: "salon".to_owned(),
        ..citizen("a", &["email"])
    };
    database.join(newer).await;
    assert_eq!(database.number(counted).await, 3);
    let store = &database.store;
    assert!(store.object("email", &print("a", "email"), "stop", None, NOW).await.unwrap());
    assert_eq!(database.number(counted).await, 4);
    let given = "SELECT COUNT(*) FROM consent WHERE action = 'given'";
    assert_eq!(database.number(given).await, 3, "what was given stays written");
    let last = store.last_consent("p-a").await.unwrap().unwrap();
    assert_eq!(last, (NOW - HOUR + 1, "salon".to_owned()));
}

async fn two_processes_never_make_two_of_one(database: Database) {
    let other = database.another().await;
    for round in 0..10 {
        let name = round.to_string();
        let one = [citizen(&name, &["email", "sms"])];
        let mut two = [citizen(&name, &["sms", "email"])];
        two[0].pseudonym = format!("q-{name}");
        (two[0].external_id, two[0].consent_at) = (None, NOW);
        let told = |_: &NewCitizen, name: &str| outgoing(&format!("joined {name}"));
        let (a, b) = tokio::join!(
            database.store.register(&one, &told, NOW),
            other.register(&two, &told, NOW)
        );
        let (a, b) = (a.unwrap().remove(0).unwrap(), b.unwrap().remove(0).unwrap());
        assert_eq!(a.id, b.id);
        assert_ne!(a.new, b.new);
    }
    assert_eq!(database.store.count_citizens().await.unwrap(), 10);
}

async fn a_reader_that_becomes_a_writer_is_not_refused(database: Database) {
    let importer = database.another().await;
    let import = async {
        let told = |_: &NewCitizen, name: &str| outgoing(&format!("joined {name}"));
        for round in 0..40 {
            let batch: Vec<_> =
                (0..5).map(|one| citizen(&format!("{round}-{one}"), &["email"])).collect();
            importer.register(&batch, &told, NOW).await.unwrap();
        }
    };
    let daemon = async {
        for round in 0..40 {
            database.store.pause("email", NOW + round).await.unwrap();
        }
    };
    tokio::join!(import, daemon);
    assert_eq!(database.store.count_citizens().await.unwrap(), 200);
}

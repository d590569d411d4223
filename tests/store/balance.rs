//! Law 2: planned = the sum over the states, after whatever happens in whatever order.

use portevoix::store::{Claim, NewCitizen, NewOutgoing, Settlement};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    databases::{Database, Kind, on_both},
    town::{HOUR, NOW, citizen, claim, outgoing, plan, print, settlement},
};

on_both!(counted_by_channel, progress_is_told_by_one, completed_only_when_nothing_is_left);

async fn counted_by_channel(database: Database) {
    for (name, channel) in [("a", "email"), ("b", "email"), ("c", "sms")] {
        database.join(citizen(name, &[channel])).await;
    }
    let event = database.broadcast("e").await;
    let other = database.broadcast("f").await;
    let id = database.claim_one("sms").await;
    database.store.settle("1", &[settlement(id, "sent")], NOW).await.unwrap();
    let balance = database.store.balance(event).await.unwrap().unwrap();
    assert_eq!((balance.id.as_str(), balance.planned, balance.contributions), ("e", 3, 0));
    assert_eq!((balance.by_channel["email"].pending, balance.by_channel["sms"].sent), (2, 1));
    assert_eq!(database.balanced(other).await, (3, 3), "each event by itself");
    let mut pending = database.store.pending_by_channel().await.unwrap();
    pending.sort();
    assert_eq!(pending, [("email".to_owned(), 4), ("sms".to_owned(), 1)]);
    assert!(database.store.balance(other + 9).await.unwrap().is_none());
    let changed = database.store.deliveries_changed(event, 9).await.unwrap();
    assert_eq!(changed.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
}

async fn progress_is_told_by_one(database: Database) {
    database.join(citizen("a", &["email"])).await;
    let event = database.broadcast("e").await;
    let other = database.another().await;
    let (one, two) = (outgoing("one"), outgoing("two"));
    let (a, b) = tokio::join!(
        database.store.tell_progress(event, false, 1_000, NOW, &one),
        other.tell_progress(event, false, 1_000, NOW, &two)
    );
    assert_ne!(a.unwrap(), b.unwrap());
    let told = async |now, row: &NewOutgoing| {
        database.store.tell_progress(event, false, 1_000, now, row).await.unwrap()
    };
    assert!(!told(NOW + 999, &outgoing("soon")).await);
    assert!(told(NOW + 1_000, &outgoing("later")).await);
    let names = database.store.unsent(9).await.unwrap();
    assert_eq!(names.iter().filter(|row| !row.message_id.starts_with("joined")).count(), 2);
}

async fn completed_only_when_nothing_is_left(database: Database) {
    database.join(citizen("a", &["email"])).await;
    let event = database.broadcast("e").await;
    let empty = database.event("nobody").await;
    let nowhere = portevoix::store::Plan { communes: vec!["59000".to_owned()], ..plan(empty) };
    database.store.plan_event(&nowhere).await.unwrap();
    let store = &database.store;
    let done = outgoing("done");
    let complete = async |id| store.tell_progress(id, true, 0, NOW, &done).await.unwrap();
    assert!(!complete(event).await);
    let id = database.claim_one("email").await;
    assert!(!complete(event).await, "it is in hand");
    store.settle("1", &[settlement(id, "sent")], NOW).await.unwrap();
    assert_eq!(store.open_broadcasts().await.unwrap(), [event, empty]);
    assert!(complete(event).await);
    assert!(!complete(event).await, "once");
    assert!(complete(empty).await, "nobody is everybody");
    assert!(store.open_broadcasts().await.unwrap().is_empty());
    assert_eq!(store.event(event).await.unwrap().unwrap().completed_at, Some(NOW));
}

/// What can happen to an event's deliveries. The number picks who or which, modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Claim { channel: usize, owner: usize, limit: i64 },
    Settle { owner: usize, state: usize, which: usize, dead: bool },
    Release { owner: usize },
    TakeOver { owner: usize },
    Expire { limit: i64 },
    Object { person: usize, channel: usize },
    Resume { person: usize, channel: usize },
    Receipt { which: usize, failed: bool, dead: bool },
    Erase { person: usize },
    Join { person: usize },
    Complete,
    Pass { ms: i64 },
}

const CHANNELS: [&str; 3] = ["email", "sms", "telegram"];
const STATES: [&str; 6] = ["pending", "sent", "failed", "suppressed", "expired", "cancelled"];
const OWNERS: [&str; 2] = ["1", "2"];
const PEOPLE: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    let n = 0..12_usize;
    prop_oneof![
        5 => (0..3_usize, 0..2_usize, 1..4_i64)
            .prop_map(|(channel, owner, limit)| Step::Claim { channel, owner, limit }),
        6 => (0..2_usize, 0..6_usize, n.clone(), any::<bool>())
            .prop_map(|(owner, state, which, dead)| Step::Settle { owner, state, which, dead }),
        1 => (0..2_usize).prop_map(|owner| Step::Release { owner }),
        1 => (0..2_usize).prop_map(|owner| Step::TakeOver { owner }),
        1 => (1..4_i64).prop_map(|limit| Step::Expire { limit }),
        2 => (0..PEOPLE, 0..3_usize).prop_map(|(person, channel)| Step::Object { person, channel }),
        1 => (0..PEOPLE, 0..3_usize).prop_map(|(person, channel)| Step::Resume { person, channel }),
        3 => (n, any::<bool>(), any::<bool>())
            .prop_map(|(which, failed, dead)| Step::Receipt { which, failed, dead }),
        1 => (0..PEOPLE).prop_map(|person| Step::Erase { person }),
        1 => (0..PEOPLE).prop_map(|person| Step::Join { person }),
        1 => Just(Step::Complete),
        2 => (1..3 * HOUR).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// One event's life.
struct Life<'a> {
    database: &'a Database,
    event: i64,
    now: i64,
    count: usize,
}

impl Life<'_> {
    /// Deliveries in a state, as ids.
    async fn in_state(&self, state: &str) -> Vec<i64> {
        let rows = self.database.store.deliveries_page(self.event, state, 0, 99).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    async fn take(&mut self, step: &Step) {
        self.count += 1;
        let (store, now) = (&self.database.store, self.now);
        match step {
            Step::Claim { channel, owner, limit } => {
                let claim = claim(CHANNELS[*channel], OWNERS[*owner], *limit);
                let claim = Claim { now, lease_until: now + HOUR, ..claim };
                store.claim(&claim).await.unwrap();
            }
            Step::Settle { owner, state, which, dead } => {
                let held = self.in_state("claimed").await;
                let Some(id) = held.get(which % held.len().max(1)) else { return };
                let dead = *dead && STATES[*state] == "failed";
                let one = Settlement {
                    reference: Some(format!("r{id}")),
                    dead_address: dead.then(|| "gone".to_owned()),
                    ..settlement(*id, STATES[*state])
                };
                store.settle(OWNERS[*owner], &[one], now).await.unwrap();
            }
            Step::Release { owner } => {
                let held = self.in_state("claimed").await;
                store.release(OWNERS[*owner], &held, now).await.unwrap();
            }
            Step::TakeOver { owner } => {
                store.take_over(&[OWNERS[*owner].to_owned()], now).await.unwrap();
            }
            Step::Expire { limit } => {
                store.expire(now, *limit).await.unwrap();
            }
            Step::Receipt { which, failed, dead } => self.receipt(*which, *failed, *dead).await,
            Step::Complete => {
                let row = outgoing(&format!("{} {}", self.event, self.count));
                store.tell_progress(self.event, true, 0, now, &row).await.unwrap();
            }
            Step::Pass { ms } => self.now += ms,
            _ => self.person(step).await,
        }
    }

    async fn receipt(&self, which: usize, failed: bool, dead: bool) {
        let (store, now) = (&self.database.store, self.now);
        let mut gone_out = self.in_state("sent").await;
        gone_out.extend(self.in_state("delivered").await);
        let Some(id) = gone_out.get(which % gone_out.len().max(1)) else { return };
        let channel = store.delivery(*id).await.unwrap().unwrap().channel;
        let to = if failed { "failed" } else { "delivered" };
        let why = self.count.to_string();
        store.store_receipt(&channel, &format!("r{id}"), to, &why, now).await.unwrap();
        for row in store.receipts_new(now, 99).await.unwrap() {
            store.apply_receipt(&row, Some(to), failed && dead, now).await.unwrap();
        }
    }

    async fn person(&self, step: &Step) {
        let (store, now) = (&self.database.store, self.now);
        match step {
            Step::Object { person, channel } => {
                let channel = CHANNELS[*channel];
                let print = print(&person.to_string(), channel);
                store.object(channel, &print, "stop", None, now).await.unwrap();
            }
            Step::Resume { person, channel } => {
                let channel = CHANNELS[*channel];
                store.resume(channel, &print(&person.to_string(), channel), now).await.unwrap();
            }
            Step::Erase { person } => {
                let left = outgoing(&format!("left {} {}", self.event, self.count));
                let same = |text: &str| text.to_owned();
                store.erase(&format!("x-{person}"), &same, &left, now).await.unwrap();
            }
            Step::Join { person } => join(self.database, *person, now).await,
            _ => {}
        }
    }
}

/// Joins anew with everything allowed, whatever was before.
async fn join(database: &Database, person: usize, now: i64) {
    let mut channels = CHANNELS;
    channels.rotate_left(person % 3);
    let frequency = if person == 5 { "daily" } else { "immediate" };
    let new = NewCitizen {
        pseudonym: format!("p-{person}-{now}"),
        frequency: frequency.to_owned(),
        consent_at: now,
        ..citizen(&person.to_string(), &channels[..=person % 3])
    };
    let told = |_: &NewCitizen, name: &str| outgoing(&format!("joined {name}"));
    database.store.register(&[new], &told, now).await.unwrap()[0].as_ref().unwrap();
}

async fn whatever_happens(kind: Kind, cases: u32) {
    let database = Database::migrated(kind).await;
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let steps = proptest::collection::vec(step(), 1..40);
    let handle = tokio::runtime::Handle::current();
    let round = std::sync::atomic::AtomicI64::new(0);
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&steps, |steps| {
            let round = round.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            handle.block_on(async {
                let now = NOW + round * 1_000 * HOUR;
                // what is left of the case before goes out of the way
                let owners = OWNERS.map(str::to_owned);
                database.store.take_over(&owners, now).await.unwrap();
                database.store.expire(now, i64::MAX).await.unwrap();
                for person in 0..PEOPLE {
                    join(&database, person, now).await;
                }
                let event = database.event(&format!("e{round}")).await;
                let plan = portevoix::store::Plan {
                    now,
                    daily_at: now + HOUR,
                    deadline: Some(now + 20 * HOUR),
                    ..plan(event)
                };
                database.store.plan_event(&plan).await.unwrap().unwrap();
                let mut life = Life { database: &database, event, now, count: 0 };
                for step in &steps {
                    life.take(step).await;
                    let balance = database.store.balance(event).await.unwrap().unwrap();
                    prop_assert!(balance.holds(), "after {step:?}: {balance:?}");
                    let open = database.store.open_broadcasts().await.unwrap();
                    prop_assert!(
                        balance.is_complete() || open.contains(&event),
                        "after {step:?} the broadcast is closed with {balance:?}"
                    );
                }
                Ok(())
            })
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_on_sqlite() {
    whatever_happens(Kind::Sqlite, 24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_on_postgres() {
    whatever_happens(Kind::Postgres, 24).await;
}

//! Made-up citizens and events, short to write down.

use portevoix::store::{
    Claim, Claimed, ConsultationRow, NewAddress, NewCitizen, NewEvent, NewNotice, NewOutgoing,
    Plan, Registered, Settlement, Who,
};

use crate::databases::Database;

/// The instant at which the tests play (epoch ms).
pub const NOW: i64 = 1_790_000_000_000;
pub const HOUR: i64 = 3_600_000;

pub fn outgoing(id: &str) -> NewOutgoing {
    NewOutgoing {
        subject: "participation.test".to_owned(),
        message_id: id.to_owned(),
        headers: "[]".to_owned(),
        payload: "{}".to_owned(),
        created_at: NOW,
    }
}

pub fn notice(once: &str, channel: &str) -> NewNotice {
    NewNotice {
        citizen: None,
        channel: channel.to_owned(),
        sealed: format!("sealed {once}"),
        language: "fr".to_owned(),
        register: "standard".to_owned(),
        notice: "{}".to_owned(),
        once: once.to_owned(),
        due_at: NOW,
        deadline: None,
    }
}

/// An adult of Lille who reads standard French at once; `channels` in their own order.
pub fn citizen(name: &str, channels: &[&str]) -> NewCitizen {
    NewCitizen {
        pseudonym: format!("p-{name}"),
        external_id: Some(format!("x-{name}")),
        first_name: None,
        commune: "59350".to_owned(),
        language: "fr".to_owned(),
        register: "standard".to_owned(),
        frequency: "immediate".to_owned(),
        age_band: "adult".to_owned(),
        addresses: (1..)
            .zip(channels)
            .map(|(place, channel)| NewAddress {
                channel: (*channel).to_owned(),
                sealed: format!("sealed {name} {channel}"),
                fingerprint: print(name, channel),
                place,
            })
            .collect(),
        themes: Vec::new(),
        groups: Vec::new(),
        consent_at: NOW - HOUR,
        consent_source: "guichet".to_owned(),
        actor: "import".to_owned(),
    }
}

/// The fingerprint of an address of [`citizen`].
pub fn print(name: &str, channel: &str) -> String {
    format!("f-{name}-{channel}")
}

pub fn event(id: &str, consultation: &str) -> NewEvent {
    NewEvent {
        source: "/test".to_owned(),
        event_id: id.to_owned(),
        kind: "consultation.opened".to_owned(),
        consultation: consultation.to_owned(),
        code: format!("c{id}"),
        body: "{}".to_owned(),
        received_at: NOW,
        deadline: None,
    }
}

pub fn consultation(id: &str) -> ConsultationRow {
    ConsultationRow {
        id: id.to_owned(),
        title: r#"{"fr":"Un parc"}"#.to_owned(),
        phase: 1,
        accepts: 1,
        updated_at: NOW,
        ..ConsultationRow::default()
    }
}

/// Everybody, at once.
pub fn plan(event: i64) -> Plan {
    Plan {
        event,
        consultation: "k".to_owned(),
        who: Who::Audience,
        communes: Vec::new(),
        themes: Vec::new(),
        groups: Vec::new(),
        now: NOW,
        deadline: None,
        daily_at: NOW + 10 * HOUR,
        weekly_at: NOW + 100 * HOUR,
        plain_waits_until: NOW + 1_000 * HOUR,
        plain_languages: None,
    }
}

pub fn settlement(id: i64, state: &'static str) -> Settlement {
    Settlement {
        id,
        state,
        due_at: None,
        reference: None,
        reason: None,
        uncounted: 0,
        dead_address: None,
    }
}

impl Database {
    pub async fn join(&self, new: NewCitizen) -> Registered {
        let told = |_: &NewCitizen, pseudonym: &str| outgoing(&format!("joined {pseudonym}"));
        let mut results = self.store.register(&[new], &told, NOW).await.unwrap();
        results.remove(0).unwrap()
    }

    /// Stores an event about consultation `k`; its internal id.
    pub async fn event(&self, id: &str) -> i64 {
        assert!(self.store.store_event(&event(id, "k"), &consultation("k")).await.unwrap());
        self.store.events_named(id).await.unwrap()[0].id
    }

    /// Stores an event and plans it for everybody.
    pub async fn broadcast(&self, id: &str) -> i64 {
        let event = self.event(id).await;
        self.store.plan_event(&plan(event)).await.unwrap().unwrap();
        event
    }

    pub async fn claim(&self, channel: &str, owner: &str, limit: i64) -> Vec<Claimed> {
        self.store.claim(&claim(channel, owner, limit)).await.unwrap()
    }

    pub async fn claim_one(&self, channel: &str) -> i64 {
        let mut claimed = self.claim(channel, "1", 1).await;
        assert_eq!(claimed.len(), 1, "nothing to claim on {channel}");
        claimed.remove(0).id
    }

    pub async fn state(&self, delivery: i64) -> String {
        self.store.delivery(delivery).await.unwrap().unwrap().state
    }

    /// The balance holds; planned and pending of this event.
    pub async fn balanced(&self, event: i64) -> (i64, i64) {
        let balance = self.store.balance(event).await.unwrap().unwrap();
        assert!(balance.holds(), "{balance:?}");
        (balance.planned, balance.states.pending)
    }
}

pub fn claim<'a>(channel: &'a str, owner: &'a str, limit: i64) -> Claim<'a> {
    Claim { channel, owner, now: NOW, lease_until: NOW + 60_000, limit }
}

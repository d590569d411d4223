//! Who gets an event, on which channel, when: one set-based statement, however many citizens.

use async_trait::async_trait;
pub mod subscribing;

use jiff::civil::{Time, Weekday};
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Bells, Room, Round, Work, rounds},
    clock::Clock,
    model::{
        event::{AudienceRule, Event},
        paris,
        waiting::{FAR, PlainWait},
    },
    store::{EventRow, Plan, Store, StoreError, Who},
};

/// The room that plans.
#[derive(Debug, Clone)]
pub struct Audience {
    pub store: Store,
    pub bells: Bells,
    pub clock: Clock,
    pub plain: PlainWait,
}

/// When the rounds of those who chose `daily` or `weekly` go out, in Paris.
const ROUND_TIME: Time = Time::constant(9, 0, 0, 0);

#[async_trait]
impl Work for Audience {
    type Error = StoreError;

    async fn round(&self) -> Result<Round, Self::Error> {
        let events = self.store.events_received(20).await?;
        if events.is_empty() {
            return Ok(Round::IDLE);
        }
        for row in events {
            self.plan(&row).await?;
        }
        Ok(Round::More)
    }
}

impl Audience {
    /// Until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let listener = self.bells.listener(Room::Audience);
        rounds(self, listener, stop).await;
    }

    async fn plan(&self, row: &EventRow) -> Result<(), StoreError> {
        let event: Event = serde_json::from_str(&row.body).map_err(|error| StoreError::Row {
            table: "event",
            column: "body",
            why: error.to_string(),
        })?;
        let plan = plan(row, &event, self.plain, self.clock.now_ms());
        if let Some(planned) = self.store.plan_event(&plan).await? {
            tracing::info!(event = %row.event_id, planned, "deliveries planned");
            metrics::counter!("portevoix_planned_total").increment(planned);
            self.bells.ring(Room::Dispatch);
        }
        Ok(())
    }
}

/// The plan of an event; pure.
#[must_use]
pub fn plan(row: &EventRow, event: &Event, wait: PlainWait, now: i64) -> Plan {
    let audience = &event.data.audience;
    let plain_languages = languages_with_plain(event);
    let last = row.deadline.unwrap_or(FAR);
    // a round after the end would be no use: those citizens are told at once
    let in_time = |round: i64| if round < last { round } else { now };
    Plan {
        event: row.id,
        consultation: row.consultation.clone(),
        who: who(event.kind.audience()),
        communes: audience.communes.clone(),
        themes: audience.themes.clone(),
        groups: audience.groups.clone(),
        now,
        deadline: row.deadline,
        daily_at: in_time(paris::next(now, ROUND_TIME, None)),
        weekly_at: in_time(paris::next(now, ROUND_TIME, Some(Weekday::Monday))),
        plain_waits_until: wait
            .fallback_before_ms
            .map_or(FAR, |before| row.deadline.map_or(now + before, |end| (end - before).max(now))),
        plain_languages,
    }
}

/// None where every reader of plain texts has one (the French text serves all).
fn languages_with_plain(event: &Event) -> Option<Vec<String>> {
    let with_plain: Vec<String> = event
        .data
        .message
        .iter()
        .filter(|(_, text)| text.plain.is_some())
        .map(|(language, _)| language.clone())
        .collect();
    (!with_plain.iter().any(|language| language == "fr")).then_some(with_plain)
}

fn who(rule: AudienceRule) -> Who {
    match rule {
        AudienceRule::Area | AudienceRule::Audience | AudienceRule::Registered => Who::Audience,
        AudienceRule::NotAnswered => Who::NotAnswered,
        AudienceRule::AudienceAndParticipants | AudienceRule::ContributorsAndSubscribers => {
            Who::AudienceAndContributors
        }
        AudienceRule::Contributors | AudienceRule::ContributorsWithOutcomes => Who::Contributors,
    }
}

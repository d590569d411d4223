//! From a checked event to its rows.

use crate::{
    bus::BusMessage,
    clock::Clock,
    model::{
        event::{Event, EventKind, Problem},
        paris,
    },
    store::{ConsultationRow, NewEvent, NewOutgoing, Store, StoreError},
};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    Duplicate,
}

impl Verdict {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
        }
    }
}

pub(super) async fn accept(
    store: &Store,
    clock: &Clock,
    event: &Event,
) -> Result<Verdict, StoreError> {
    let now = clock.now_ms();
    let row = NewEvent {
        source: event.source.clone(),
        event_id: event.id.clone(),
        kind: event.kind.name().to_owned(),
        consultation: event.data.consultation.id.clone(),
        // 40 random bits: short enough for a text message, too many to go through
        code: crate::clock::base32(&clock.random::<5>()),
        body: serde_json::to_string(event).unwrap_or_default(),
        received_at: now,
        deadline: deadline(event),
    };
    let stored = store.store_event(&row, &consultation_row(event, now)).await?;
    Ok(if stored { Verdict::Accepted } else { Verdict::Duplicate })
}

/// After this instant (epoch ms) the message is worthless: the consultation's last day has passed
/// or the meeting has begun. Other events have none.
#[must_use]
pub fn deadline(event: &Event) -> Option<i64> {
    match event.kind {
        EventKind::ConsultationOpened | EventKind::ConsultationClosing => {
            event.data.consultation.closes.map(paris::end_of)
        }
        EventKind::MeetingScheduled | EventKind::MeetingCancelled => event
            .data
            .meeting
            .as_ref()
            .and_then(|meeting| meeting.starts)
            .map(jiff::Timestamp::as_millisecond),
        _ => None,
    }
}

/// What an event says of its consultation.
#[must_use]
pub fn consultation_row(event: &Event, now: i64) -> ConsultationRow {
    let consultation = &event.data.consultation;
    let json = |value: Option<String>| value.filter(|text| text != "null");
    ConsultationRow {
        id: consultation.id.clone(),
        title: serde_json::to_string(&consultation.title).unwrap_or_default(),
        url: consultation.url.clone(),
        opens: consultation.opens.map(paris::start_of),
        closes: consultation.closes.map(paris::end_of),
        contact: json(serde_json::to_string(&consultation.contact).ok()),
        question: json(serde_json::to_string(&event.data.question).ok()),
        phase: i64::from(event.kind.phase()),
        accepts: i64::from(event.takes_answers()),
        updated_at: now,
    }
}

/// The dead letter of a message: the original, with the reason and every problem's path.
#[must_use]
pub fn rejected(message: &BusMessage, problems: &[Problem], now: i64) -> NewOutgoing {
    let name = message.subject.strip_prefix("participation.events.").unwrap_or("unknown");
    let reason: Vec<String> = problems.iter().take(50).map(ToString::to_string).collect();
    let mut headers = message.headers.clone();
    headers.push(("Portevoix-Reason".to_owned(), reason.join("; ")));
    headers.push((
        "Portevoix-Problems".to_owned(),
        serde_json::to_string(&problems[..problems.len().min(50)]).unwrap_or_default(),
    ));
    let dead = BusMessage { headers, ..message.clone() };
    let (headers, payload) = crate::bus::to_text(&dead);
    NewOutgoing {
        subject: format!("participation.rejected.{name}"),
        message_id: format!("rejected:{}", message.message_id),
        headers,
        payload,
        created_at: now,
    }
}

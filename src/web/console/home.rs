//! The first page: what was published, newest first, and what citizens answered last.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::IntoResponse,
};
use portevoix_contract::Language;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    event::{bar, shown_event},
    live::{self, Fragments},
    session::Staff,
    view::{self, PageResult},
    words,
};
use crate::{
    model::event::{EventKind, Texts},
    store::ContributionRow,
    web::Parts,
};

const EVENTS: i64 = 12;
const CONTRIBUTIONS: i64 = 6;

#[derive(Deserialize)]
pub struct Shown {
    /// Only events before this one (internal id): older pages.
    before: Option<i64>,
}

pub async fn home(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Query(shown): Query<Shown>,
) -> PageResult {
    let mut context = newest(&parts, shown.before).await?;
    context["title"] = "Envois".into();
    context["first_page"] = shown.before.is_none().into();
    context["step"] = 1.into();
    context["samples"] = samples();
    view::page(&parts, "console/home.html", "home", context).await
}

pub async fn live(_: Staff, State(parts): State<Arc<Parts>>) -> impl IntoResponse {
    let stop = parts.stop.clone();
    live::stream(stop, move || {
        let parts = Arc::clone(&parts);
        async move {
            let context = newest(&parts, None).await?;
            Ok(Fragments::from([
                ("events", view::fragment("console/home_events.html", &context)?),
                ("contributions", view::fragment("console/contribution_list.html", &context)?),
            ]))
        }
    })
}

async fn newest(parts: &Parts, before: Option<i64>) -> PageResult<Value> {
    let rows = parts.store.latest_events(before.unwrap_or(i64::MAX), EVENTS).await?;
    let older = (rows.len() == usize::try_from(EVENTS).unwrap_or_default())
        .then(|| rows.last().map(|row| row.id));
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut event = shown_event(row);
        if let Some(balance) = parts.store.balance(row.id).await? {
            event["bar"] = bar(&balance.states, balance.planned);
            event["contributions"] = balance.contributions.into();
        }
        events.push(event);
    }
    let contributions = parts.store.latest_contributions("", CONTRIBUTIONS).await?;
    Ok(json!({
        "events": events,
        "older": older.flatten(),
        "contributions": shown_contributions(parts, &contributions).await?,
    }))
}

/// Contributions as lists show them, each with its consultation's title.
pub async fn shown_contributions(
    parts: &Parts,
    rows: &[ContributionRow],
) -> PageResult<Vec<Value>> {
    let mut titles = std::collections::HashMap::new();
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        if !titles.contains_key(&row.consultation) {
            let found = parts.store.consultation(&row.consultation).await?;
            let title = found
                .as_ref()
                .map_or_else(|| row.consultation.clone(), |found| french(&found.title));
            let options = found.and_then(|found| found.question).unwrap_or_default();
            titles.insert(row.consultation.clone(), (title, options));
        }
        let (title, question) = &titles[&row.consultation];
        let answer = row.answer.as_ref().map(|key| option_label(question, key));
        // a pressed button has no words of its own
        let pressed = answer.as_ref().is_some_and(|answer| {
            row.answer.as_ref() == Some(&row.text) || answer.ends_with(&row.text)
        });
        let text = if pressed { "" } else { row.text.as_str() };
        shown.push(json!({
            "number": row.number, "consultation": row.consultation, "consultation_title": title,
            "author": row.author.chars().take(8).collect::<String>(), "channel": row.channel,
            "language": row.language, "text": text, "answer": answer, "state": row.state,
            "at": row.received_at, "clock": words::clock(row.received_at), "event": row.event,
        }));
    }
    Ok(shown)
}

/// The French of a JSON object of texts by language.
pub fn french(titles: &str) -> String {
    serde_json::from_str::<Texts>(titles)
        .map(|texts| texts.best(&Language::default()).to_owned())
        .unwrap_or_default()
}

/// What an option's key stands for, in French; the key itself where the question is not known.
fn option_label(question: &str, key: &str) -> String {
    let question = serde_json::from_str::<crate::model::event::Question>(question).ok();
    let option =
        question.and_then(|question| question.options.into_iter().find(|option| option.key == key));
    option.map_or_else(
        || key.to_owned(),
        |option| format!("{key} – {}", option.label.best(&Language::default())),
    )
}

/// What the demo can publish: the launch first, then the others in the charter's order.
fn samples() -> Value {
    EventKind::ALL
        .into_iter()
        .map(|kind| json!({ "name": kind.name(), "main": kind == EventKind::ConsultationOpened }))
        .collect()
}

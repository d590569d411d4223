//! The deliveries of an event, one by one, by state.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    event::{found, shown_delivery, shown_event},
    session::Staff,
    view::{self, PageResult},
};
use crate::web::Parts;

const PAGE: i64 = 50;

/// As the balance names them.
const STATES: [&str; 7] =
    ["pending", "sent", "delivered", "failed", "suppressed", "expired", "cancelled"];

#[derive(Deserialize)]
pub struct Shown {
    #[serde(default)]
    state: String,
    /// After this delivery.
    #[serde(default)]
    after: i64,
}

pub async fn deliveries(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Path(id): Path<i64>,
    Query(shown): Query<Shown>,
) -> PageResult {
    let row = found(&parts, id).await?;
    let state = if STATES.contains(&shown.state.as_str()) { shown.state.as_str() } else { "" };
    let rows = parts.store.deliveries_page(id, state, shown.after, PAGE).await?;
    let next = (rows.len() == usize::try_from(PAGE).unwrap_or_default())
        .then(|| rows.last().map(|row| row.id));
    let counts = parts.store.balance(id).await?.map(|balance| json!(balance.states));
    let counts = counts.unwrap_or(Value::Null);
    let filters: Vec<Value> =
        STATES.iter().map(|name| json!({ "name": name, "count": counts[*name] })).collect();
    let event = shown_event(&row);
    let context = json!({
        "title": "Envois un par un", "event": event, "tab": "deliveries", "state": state,
        "filters": filters, "planned": row.planned, "first": shown.after == 0,
        "rows": rows.iter().map(shown_delivery).collect::<Vec<_>>(), "next": next.flatten(),
    });
    view::page(&parts, "console/deliveries.html", "home", context).await
}

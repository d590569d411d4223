//! What citizens answered, newest first, by consultation.

use std::sync::Arc;

use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    home::{french, shown_contributions},
    session::Staff,
    view::{self, PageResult},
};
use crate::web::Parts;

const SHOWN: i64 = 100;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    consultation: String,
}

pub async fn contributions(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Query(asked): Query<Asked>,
) -> PageResult {
    let rows = parts.store.latest_contributions(&asked.consultation, SHOWN).await?;
    let context = json!({
        "title": "Contributions", "step": 4, "consultation": asked.consultation,
        "consultations": consultations(&parts).await?,
        "contributions": shown_contributions(&parts, &rows).await?,
        "all": rows.len() < usize::try_from(SHOWN).unwrap_or_default(),
    });
    view::page(&parts, "console/contributions.html", "contributions", context).await
}

/// Consultations to choose from: the latest first.
pub async fn consultations(parts: &Parts) -> PageResult<Vec<Value>> {
    let rows = parts.store.latest_consultations(200).await?;
    Ok(rows.iter().map(|row| json!({ "id": row.id, "title": french(&row.title) })).collect())
}

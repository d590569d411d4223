//! Contributions, page by page or as one CSV.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::Query,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    super::{Parts, Problem, State, WebResult},
    auth::{CONTRIBUTIONS_READ, guarded},
    csv,
    openapi::{Doc, Operation},
};
use crate::{
    model::paris,
    store::{ContributionRow, Page, Store, StoreResult},
};

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1000;

pub(super) fn mount(doc: &mut Doc, parts: &Arc<Parts>) {
    let page = doc.schema::<Answer>();
    let operation = Operation::new(
        "get",
        "contributions",
        "contributions",
        "Contributions in the order received. With `Accept: text/csv` all of them as one file.",
    )
    .scopes(&[CONTRIBUTIONS_READ])
    .query_parameter("consultation", "the consultation's id; without it those of all")
    .query_parameter("cursor", "`next` of the page before")
    .query_parameter("limit", "rows of a page, 1 to 1000; 100 without")
    .answer(200, "a page", "application/json", page)
    .answer(200, "a page, or all as CSV", "text/csv", serde_json::json!({ "type": "string" }))
    .problem(400, "cursor or limit is not usable");
    doc.mount(
        "/api/v1/contributions",
        guarded(get(list), parts, &[CONTRIBUTIONS_READ]),
        vec![operation],
    );
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    consultation: String,
    cursor: Option<String>,
    limit: Option<String>,
}

/// A page.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Contributions")]
struct Answer {
    items: Vec<Contribution>,
    /// Cursor of the next page; null: this is the last one for now.
    next: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Contribution {
    contribution_id: String,
    /// What the citizen's receipt names.
    number: String,
    consultation_id: String,
    /// Pseudonym in this consultation.
    author: String,
    channel: String,
    language: String,
    text: String,
    /// Key of the option that was chosen.
    answer: Option<String>,
    /// Id of the event that was answered.
    in_reply_to: Option<String>,
    /// `received`, `amended` or `withdrawn`.
    state: String,
    received_at: String,
    updated_at: String,
    attachments: Value,
}

async fn list(
    axum::extract::State(parts): State,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> WebResult<Response> {
    let mut page = match asked.cursor.as_deref() {
        Some(cursor) => from_cursor(cursor).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "the cursor is not one of ours")
        })?,
        None => Page { received_at: i64::MIN, ..Page::default() },
    };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.unwrap_or_default().contains("text/csv") {
        page.limit = MAX_LIMIT;
        return Ok(as_csv(parts.store.clone(), asked.consultation, page));
    }
    page.limit = match asked.limit.as_deref().map(str::parse::<i64>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            let detail = format!("`limit` is a number from 1 to {MAX_LIMIT}");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
    };
    as_page(&parts, &asked, page).await
}

async fn as_page(parts: &Parts, asked: &Asked, mut page: Page) -> WebResult<Response> {
    let limit = page.limit;
    // one more than asked for tells whether there is a next page
    page.limit += 1;
    let mut rows = parts.store.contributions_page(&asked.consultation, &page).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let names = names(&parts.store, &rows).await?;
    let next = rows.last().filter(|_| more).map(to_cursor);
    let items = rows.into_iter().map(|row| shown(row, &names)).collect();
    let link = next.as_ref().map(|cursor| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("consultation", &asked.consultation)
            .append_pair("limit", &limit.to_string())
            .append_pair("cursor", cursor)
            .finish();
        let base = parts.settings.http.public_url.as_str().trim_end_matches('/');
        format!("<{base}/api/v1/contributions?{query}>; rel=\"next\"")
    });
    let mut response = Json(Answer { items, next }).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn shown(row: ContributionRow, names: &HashMap<i64, String>) -> Contribution {
    Contribution {
        in_reply_to: row.event.and_then(|event| names.get(&event).cloned()),
        contribution_id: row.id,
        number: row.number,
        consultation_id: row.consultation,
        author: row.author,
        channel: row.channel,
        language: row.language,
        text: row.text,
        answer: row.answer,
        state: row.state,
        received_at: paris::instant(row.received_at).to_string(),
        updated_at: paris::instant(row.updated_at).to_string(),
        attachments: serde_json::from_str(&row.attachments).unwrap_or_default(),
    }
}

/// The CloudEvents ids of the events that were answered.
async fn names(store: &Store, rows: &[ContributionRow]) -> StoreResult<HashMap<i64, String>> {
    let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.event).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(store.event_names(&ids).await?.into_iter().collect())
}

/// However many there are, one page of them is in memory.
fn as_csv(store: Store, consultation: String, page: Page) -> Response {
    let pages = stream::unfold(Some(page), move |page| {
        let (store, consultation) = (store.clone(), consultation.clone());
        async move {
            let mut page = page?;
            let read = async {
                let rows = store.contributions_page(&consultation, &page).await?;
                let names = names(&store, &rows).await?;
                StoreResult::Ok((rows, names))
            };
            let (rows, names) = match read.await {
                Ok(read) => read,
                // the answer breaks off: a file that ends early must not look whole
                Err(error) => {
                    tracing::warn!(%error, "a CSV of contributions broke off");
                    return Some((Err(error), None));
                }
            };
            let last = rows.last()?;
            page.received_at = last.received_at;
            page.id.clone_from(&last.id);
            let cells = rows.iter().map(|row| {
                csv::row(row, row.event.and_then(|event| names.get(&event)).map(String::as_str))
            });
            Some((Ok(Bytes::from(csv::rows(cells))), Some(page)))
        }
    });
    let header = stream::iter([Ok(Bytes::from(csv::header()))]);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"contributions.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(header.chain(pages))).into_response()
}

fn to_cursor(row: &ContributionRow) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}", row.received_at, row.id))
}

fn from_cursor(cursor: &str) -> Option<Page> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (received_at, id) = text.split_once(':')?;
    Some(Page { received_at: received_at.parse().ok()?, id: id.to_owned(), limit: 0 })
}

//! `/me/{token}`: what is held about a person, for that person, and what they decide about it.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
};
use minijinja::context;
use serde_json::{Value, json};

use super::{
    Asked, Page, Sorry, form, language,
    unsubscribe::{fingerprint, object},
};
use crate::{
    model::{communes, paris, seal::Purpose},
    store::CitizenRow,
    telemetry::Masked,
    web::{Parts, api, pages},
};

/// Deliveries that the copy of one's data names, newest first.
const MOST_DELIVERIES: i64 = 10_000;

async fn find(parts: &Parts, token: &str, asked: &Asked) -> Result<CitizenRow, Sorry> {
    let nothing = || Sorry::nothing_here(language(asked, None));
    let id = parts.sealer.read_token(Purpose::Citizen, token).ok_or_else(nothing)?;
    parts.store.citizen(id).await?.ok_or_else(nothing)
}

pub(super) async fn show(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let citizen = find(&parts, &token, &asked).await?;
    let language = language(&asked, Some(&citizen.language));
    let known = api::known(&parts, &citizen).await?;
    let mut channels = Vec::new();
    for address in parts.store.addresses(citizen.id).await? {
        let field = if address.channel == "sms" { "phone" } else { &address.channel };
        let shown = Masked(known[field].as_str().unwrap_or_default()).to_string();
        channels.push(context! {
            name => address.channel,
            address => shown,
            open => address.state == "active",
        });
    }
    let contributions = parts.store.contributions_of(citizen.id).await?.len();
    let context = context! {
        language,
        identity => parts.settings.identity.name.as_str(),
        title => pages::phrase(language, "me_title"),
        address => format!("/me/{token}"),
        done => asked.get("done").filter(|done| DONE.contains(&done.as_str())),
        first_name => known["first_name"].as_str().map(str::to_owned),
        commune => communes::find(&citizen.commune).map(|commune| commune.name),
        themes => strings(&known["themes"]),
        groups => strings(&known["groups"]),
        frequency => citizen.frequency.as_str(),
        own_language => pages::known_language(Some(&citizen.language)),
        register => citizen.register.as_str(),
        consent_at => consent_at(&parts, &citizen).await?,
        contributions,
        channels,
        languages => pages::LANGUAGES,
    };
    Ok(pages::render("citizen/me.html", &context))
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

async fn consent_at(parts: &Parts, citizen: &CitizenRow) -> Result<Option<i64>, Sorry> {
    Ok(parts.store.last_consent(&citizen.pseudonym).await?.map(|(at, _)| at))
}

/// What a page may say was done.
const DONE: [&str; 3] = ["saved", "stopped", "resumed"];

fn back(token: &str, asked: &Asked, done: &str) -> axum::response::Response {
    let lang = language(asked, None);
    let lang = if asked.contains_key("lang") { format!("&lang={lang}") } else { String::new() };
    pages::with_headers(Redirect::to(&format!("/me/{token}?done={done}{lang}")).into_response())
}

pub(super) async fn prefer(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    body: Bytes,
) -> Page {
    let citizen = find(&parts, &token, &asked).await?;
    let given = form(&body);
    let wanted = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
    let (tongue, register) = (wanted("language"), wanted("register"));
    if !pages::LANGUAGES.contains(&tongue) || !["standard", "plain"].contains(&register) {
        return Err(wrong_form(&citizen));
    }
    parts.store.prefer(citizen.id, tongue, register, parts.clock.now_ms()).await?;
    // the page follows the language that was just chosen
    let to = format!("/me/{token}?done=saved");
    Ok(pages::with_headers(Redirect::to(&to).into_response()))
}

fn wrong_form(citizen: &CitizenRow) -> Sorry {
    Sorry {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        language: pages::known_language(Some(&citizen.language)),
        words: "wrong_form",
    }
}

pub(super) async fn stop(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    body: Bytes,
) -> Page {
    let citizen = find(&parts, &token, &asked).await?;
    let channel = form(&body).remove("channel").unwrap_or_default();
    let found = fingerprint(&parts, citizen.id, &channel).await?;
    let fingerprint = found.ok_or_else(|| wrong_form(&citizen))?;
    object(&parts, &citizen, &channel, &fingerprint).await?;
    Ok(back(&token, &asked, "stopped"))
}

pub(super) async fn resume(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    body: Bytes,
) -> Page {
    let citizen = find(&parts, &token, &asked).await?;
    let channel = form(&body).remove("channel").unwrap_or_default();
    let found = fingerprint(&parts, citizen.id, &channel).await?;
    let fingerprint = found.ok_or_else(|| wrong_form(&citizen))?;
    parts.store.resume(&channel, &fingerprint, parts.clock.now_ms()).await?;
    Ok(back(&token, &asked, "resumed"))
}

/// Everything that is held, as JSON (GDPR article 15 and 20).
pub(super) async fn data(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let citizen = find(&parts, &token, &asked).await?;
    let mut data = api::known(&parts, &citizen).await?;
    let instant = |ms: i64| paris::instant(ms).to_string();
    data["pseudonym"] = json!(citizen.pseudonym);
    data["registered_at"] = json!(instant(citizen.created_at));
    let consents = parts.store.consents(&citizen.pseudonym).await?.into_iter().map(|row| {
        json!({
            "channel": row.channel, "purpose": row.purpose, "action": row.action,
            "source": row.source, "actor": row.actor, "at": instant(row.at),
        })
    });
    data["consents"] = consents.collect();
    let contributions = parts.store.contributions_of(citizen.id).await?.into_iter().map(|row| {
        json!({
            "number": row.number, "consultation": row.consultation, "channel": row.channel,
            "text": row.text, "answer": row.answer, "state": row.state,
            "received_at": instant(row.received_at),
        })
    });
    data["contributions"] = contributions.collect();
    let written = parts.store.written_by(citizen.id).await?.into_iter().map(|row| {
        json!({
            "channel": row.channel, "state": row.state, "text": row.text,
            "received_at": instant(row.received_at),
        })
    });
    data["messages_written"] = written.collect();
    let sent = parts.store.deliveries_of(citizen.id, MOST_DELIVERIES).await?.into_iter().map(
        |row| json!({ "channel": row.channel, "state": row.state, "at": instant(row.updated_at) }),
    );
    data["messages_sent"] = sent.collect();
    let headers = [(header::CONTENT_DISPOSITION, "attachment; filename=\"mes-donnees.json\"")];
    Ok(pages::with_headers((headers, Json(data)).into_response()))
}

pub(super) async fn ask_erase(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let citizen = find(&parts, &token, &asked).await?;
    let language = language(&asked, Some(&citizen.language));
    let context = context! {
        language,
        identity => parts.settings.identity.name.as_str(),
        title => pages::phrase(language, "erase_title"),
        address => format!("/me/{token}"),
    };
    Ok(pages::render("citizen/erase.html", &context))
}

pub(super) async fn erase(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    body: Bytes,
) -> Page {
    let citizen = find(&parts, &token, &asked).await?;
    let language = language(&asked, Some(&citizen.language));
    if form(&body).get("confirm").is_none_or(|confirm| confirm != "yes") {
        return Err(wrong_form(&citizen));
    }
    api::erase(&parts, &citizen).await?;
    let context = context! {
        language,
        identity => parts.settings.identity.name.as_str(),
        title => pages::phrase(language, "erased_title"),
    };
    Ok(pages::render("citizen/erased.html", &context))
}

//! Who received something: to search, to filter, to meet by chance.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CHANNELS, known, letterboxes};
use crate::{
    model::communes,
    store::CitizenRow,
    web::{
        Parts,
        console::{
            view::{self, Failure, PageResult},
            words,
        },
    },
};

const SHOWN: usize = 24;

#[derive(Deserialize, Default)]
pub struct Wanted {
    #[serde(default)]
    channel: String,
    /// Part of an address or a first name.
    #[serde(default)]
    q: String,
    #[serde(default)]
    commune: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    register: String,
    /// Addresses passed over: later pages.
    #[serde(default)]
    from: usize,
}

impl Wanted {
    fn fits(&self, address: &str, citizen: Option<&CitizenRow>, name: Option<&str>) -> bool {
        let same = |wanted: &str, own: Option<&String>| {
            wanted.is_empty() || own.is_some_and(|own| own == wanted)
        };
        let q = self.q.trim().to_lowercase();
        let named = name.is_some_and(|name| name.to_lowercase().contains(&q));
        same(&self.commune, citizen.map(|citizen| &citizen.commune))
            && same(&self.language, citizen.map(|citizen| &citizen.language))
            && same(&self.register, citizen.map(|citizen| &citizen.register))
            && (q.is_empty() || named || address.to_lowercase().contains(&q))
    }
}

pub async fn people(State(parts): State<Arc<Parts>>, Query(wanted): Query<Wanted>) -> PageResult {
    let boxes = letterboxes(&parts)?;
    let counts: Vec<Value> = CHANNELS
        .into_iter()
        .map(|name| json!({ "name": name, "count": boxes.addresses(name).len() }))
        .collect();
    let channel = known(&wanted.channel).unwrap_or(CHANNELS[0]);
    let mut rows = Vec::new();
    let mut next = None;
    for (at, (address, letters)) in
        boxes.addresses(channel).into_iter().enumerate().skip(wanted.from)
    {
        if rows.len() == SHOWN {
            next = Some(at);
            break;
        }
        let (citizen, name) = who(&parts, channel, &address).await?;
        if wanted.fits(&address, citizen.as_ref(), name.as_deref()) {
            let last =
                boxes.letters(channel, &address).ok().and_then(|letters| letters.last().cloned());
            rows.push(json!({
                "href": href(channel, &address), "address": address, "letters": letters,
                "person": person(citizen.as_ref(), name.as_deref()),
                "last": last.map(|letter| json!({ "title": letter.title, "clock": words::clock(letter.at_ms) })),
            }));
        }
    }
    let context = json!({
        "title": "Boîtes des citoyens", "step": 3, "channel": channel, "channels": counts, "rows": rows,
        "next": next, "first": wanted.from == 0, "q": wanted.q, "commune": wanted.commune,
        "language": wanted.language, "register": wanted.register,
        "communes": communes::all().iter().map(|commune| json!({ "code": commune.code, "name": commune.name })).collect::<Vec<_>>(),
        "filtered": wanted.fits_not_all(),
    });
    view::page(&parts, "sandbox/people.html", "sandbox", context).await
}

impl Wanted {
    fn fits_not_all(&self) -> bool {
        [&self.q, &self.commune, &self.language, &self.register].iter().any(|text| !text.is_empty())
    }
}

/// Somebody by chance among those who fit, on the channel asked for or on any.
pub async fn random(State(parts): State<Arc<Parts>>, Query(wanted): Query<Wanted>) -> PageResult {
    let boxes = letterboxes(&parts)?;
    let all: Vec<(&str, String)> = CHANNELS
        .into_iter()
        .filter(|name| wanted.channel.is_empty() || wanted.channel == *name)
        .flat_map(|name| boxes.addresses(name).into_iter().map(move |(address, _)| (name, address)))
        .collect();
    let start = usize::from_le_bytes(parts.clock.random()) % all.len().max(1);
    for (channel, address) in all.iter().cycle().skip(start).take(all.len()) {
        let (citizen, name) = who(&parts, channel, address).await?;
        if wanted.fits(address, citizen.as_ref(), name.as_deref()) {
            return Ok(Redirect::to(&href(channel, address)).into_response());
        }
    }
    Ok(Redirect::to("/sandbox").into_response())
}

/// The letter that a delivery became, in its citizen's box.
pub async fn of_delivery(State(parts): State<Arc<Parts>>, Path(id): Path<i64>) -> PageResult {
    let gone = || Failure::not_found("Cet envoi n’existe plus, ou la personne a été effacée.");
    let delivery = parts.store.delivery(id).await?.ok_or_else(gone)?;
    let addresses = parts.store.addresses(delivery.citizen.ok_or_else(gone)?).await?;
    let address = addresses.into_iter().find(|row| Some(row.id) == delivery.address);
    let address =
        address.and_then(|row| parts.sealer.open_text(&row.sealed).ok()).ok_or_else(gone)?;
    let to = format!("{}?letter={}-{id}", href(&delivery.channel, &address), delivery.channel);
    Ok(Redirect::to(&to).into_response())
}

/// Where a box is.
pub fn href(channel: &str, address: &str) -> String {
    format!("/sandbox/{channel}/{}", words::path_segment(address))
}

/// Whose box it is, with the first name opened.
pub async fn who(
    parts: &Parts,
    channel: &str,
    address: &str,
) -> PageResult<(Option<CitizenRow>, Option<String>)> {
    let fingerprint = parts.sealer.fingerprint(channel, address);
    let citizen = parts.store.citizen_at(channel, &fingerprint).await?;
    let sealed = citizen.as_ref().and_then(|citizen| citizen.first_name.as_deref());
    let name = sealed.and_then(|sealed| parts.sealer.open_text(sealed).ok());
    Ok((citizen, name))
}

/// What pages say of a person.
pub fn person(citizen: Option<&CitizenRow>, name: Option<&str>) -> Value {
    let commune = citizen.and_then(|citizen| communes::find(&citizen.commune));
    json!({
        "name": name.unwrap_or("Sans prénom"),
        "known": citizen.is_some(),
        "commune": commune.map_or("commune non dite", |commune| commune.name),
        "language": citizen.map_or("fr", |citizen| citizen.language.as_str()),
        "plain": citizen.is_some_and(|citizen| citizen.register == "plain"),
    })
}

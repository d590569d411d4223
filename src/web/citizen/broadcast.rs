//! `/c/{code}`: a broadcast as an accessible page, in every language and register it exists in,
//! with a form to answer.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use minijinja::{Value, context};
use portevoix_contract::{Action, Inbound, Language, Message, Register, TextState};

use super::{
    Asked, Page, Sorry, form, html, language,
    pace::{Pace, Peer, place},
};
use crate::{
    model::{
        event::{Contact, Event},
        paris,
    },
    render::{Links, Rendered, Variant},
    store::{ConsultationRow, EventRow},
    web::{Parts, pages},
};

/// The longest answer, in characters.
const MAX_CHARACTERS: usize = 10_000;
/// More languages than this are not offered.
const MOST_LANGUAGES: usize = 20;

/// A broadcast, ready to be shown.
struct Broadcast {
    row: EventRow,
    event: Event,
    consultation: Option<ConsultationRow>,
    /// What there is: language and register, French first.
    variants: Vec<Message>,
    /// Which of them is shown.
    shown: usize,
}

/// What the reader did wrong, and what they had written.
struct Again<'a> {
    status: StatusCode,
    words: &'static str,
    given: &'a Asked,
}

pub(super) async fn show(
    State(parts): State<Arc<Parts>>,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let broadcast = find(&parts, &code, &asked).await?;
    Ok(page(&parts, &broadcast, None))
}

async fn find(parts: &Parts, code: &str, asked: &Asked) -> Result<Broadcast, Sorry> {
    let nothing = || Sorry::nothing_here(language(asked, None));
    let row = parts.store.event_by_code(code).await?.ok_or_else(nothing)?;
    let event: Event = serde_json::from_str(&row.body).map_err(|error| {
        tracing::error!(event = %row.event_id, %error, "a stored event can't be read");
        nothing()
    })?;
    let consultation = parts.store.consultation(&row.consultation).await?;
    let variants = variants(parts, &event);
    let wanted = asked.get("lang").map_or(Language::DEFAULT, String::as_str);
    let plain = asked.get("register").is_some_and(|register| register == "plain");
    let register = if plain { Register::Plain } else { Register::Standard };
    let shown = variants
        .iter()
        .position(|one| one.language.as_str() == wanted && one.register == register)
        .or_else(|| variants.iter().position(|one| one.language.as_str() == wanted))
        .or_else(|| variants.iter().position(|one| one.register == register))
        .unwrap_or(0);
    if variants.is_empty() {
        Err(nothing())
    } else {
        Ok(Broadcast { row, event, consultation, variants, shown })
    }
}

/// Every language and register that was really written; a variant that fell back on another is
/// that other one.
fn variants(parts: &Parts, event: &Event) -> Vec<Message> {
    let mut languages: Vec<Language> =
        event.data.message.keys().map(|tag| Language::new(tag)).take(MOST_LANGUAGES).collect();
    languages.sort_by_key(|language| language.as_str() != Language::DEFAULT);
    languages.dedup();
    let mut found = Vec::new();
    for language in languages {
        for register in [Register::Standard, Register::Plain] {
            let variant = Variant { language: language.clone(), register, ..Variant::default() };
            match parts.renderer.broadcast(event, &variant, &Links::default()) {
                Ok(Rendered::Message(message))
                    if message.language == language && message.register == register =>
                {
                    found.push(message);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(event = %event.id, %error, "a broadcast's page lacks a variant");
                }
            }
        }
    }
    found
}

impl Broadcast {
    fn message(&self) -> &Message {
        &self.variants[self.shown]
    }

    fn link(&self, message: &Message) -> String {
        let register = if message.register == Register::Plain { "&register=plain" } else { "" };
        format!("/c/{}?lang={}{register}", self.row.code, message.language)
    }

    /// Whether answers are taken at `now`.
    fn is_open(&self, now: i64) -> bool {
        let open = self.consultation.as_ref().is_none_or(|consultation| {
            consultation.phase < 4 && consultation.closes.is_none_or(|closes| now < closes)
        });
        self.event.takes_answers() && open
    }

    fn options(&self) -> Vec<(&str, &str)> {
        let choices = self.message().actions.iter().filter_map(|action| match action {
            Action::Choose { key, label } => Some((key.as_str(), label.as_str())),
            _ => None,
        });
        choices.collect()
    }
}

fn page(parts: &Parts, broadcast: &Broadcast, again: Option<&Again<'_>>) -> Response {
    let message = broadcast.message();
    let language = pages::known_language(Some(message.language.as_str()));
    let links: Vec<_> = message
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Link { label, url } => Some(context! { label, url }),
            _ => None,
        })
        .collect();
    let claim = match message.text_state {
        TextState::Proofread => Some("claim_proofread"),
        TextState::Simplified => Some("claim_simplified"),
        TextState::Standard | TextState::StandardInstead => None,
    };
    let closes = broadcast.consultation.as_ref().and_then(|consultation| consultation.closes);
    let options: Vec<_> =
        broadcast.options().into_iter().map(|(key, label)| context! { key, label }).collect();
    let given = again.map(|again| again.given);
    let text = |name: &str| given.and_then(|given| given.get(name)).cloned().unwrap_or_default();
    let context = context! {
        language,
        identity => parts.settings.identity.name.as_str(),
        title => message.title.as_str(),
        body_class => if message.register == Register::Plain { "plain" } else { "" },
        content_language => message.language.as_str(),
        content => Value::from_safe_string(html::html(&message.blocks)),
        claim,
        links,
        variants => others(broadcast),
        closes => closes.map(|end| paris::day(end - 1).to_string()),
        asks => broadcast.event.takes_answers(),
        open => broadcast.is_open(parts.clock.now_ms()),
        action => broadcast.link(message),
        question => broadcast.event.data.question.as_ref().map(|question| question.text.best(&message.language)),
        options,
        contact => contact(parts, broadcast),
        problem => again.map(|again| again.words),
        text => text("text"),
        choice => text("choice"),
        most => MAX_CHARACTERS,
    };
    let mut response = pages::render("citizen/broadcast.html", &context);
    if let Some(again) = again.filter(|_| response.status().is_success()) {
        *response.status_mut() = again.status;
    }
    response
}

/// Links to the other languages and registers.
fn others(broadcast: &Broadcast) -> Vec<Value> {
    let link = |(position, message): (usize, &Message)| {
        let plain = message.register == Register::Plain;
        let language = message.language.as_str();
        context! {
            href => broadcast.link(message),
            language,
            name => pages::phrase(pages::known_language(Some(language)), if plain { "plain_version" } else { "standard_version" }),
            current => position == broadcast.shown,
        }
    };
    broadcast.variants.iter().enumerate().map(link).collect()
}

/// The service in charge: the consultation's own, else the authority's.
fn contact(parts: &Parts, broadcast: &Broadcast) -> Value {
    let own = broadcast.event.data.consultation.contact.clone();
    let kept = broadcast.consultation.as_ref().and_then(|row| row.noun().contact);
    let contact = own.or(kept).unwrap_or_else(|| {
        let identity = &parts.settings.identity;
        Contact {
            service: None,
            email: identity.contact_email.clone(),
            phone: identity.contact_phone.clone(),
            address: identity.contact_address.clone(),
        }
    });
    context! {
        service => contact.service.unwrap_or_else(|| parts.settings.identity.service.clone()),
        email => contact.email,
        phone => contact.phone,
        address => contact.address,
    }
}

pub(super) async fn answer(
    State(parts): State<Arc<Parts>>,
    Extension(pace): Extension<Arc<Pace>>,
    Peer(peer): Peer,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Page {
    let broadcast = find(&parts, &code, &asked).await?;
    let given = form(&body);
    let again =
        |status, words| page(&parts, &broadcast, Some(&Again { status, words, given: &given }));
    let now = parts.clock.now_ms();
    if !broadcast.is_open(now) {
        return Ok(again(StatusCode::CONFLICT, "answer_closed"));
    }
    let text = given.get("text").map(|text| text.trim().to_owned()).unwrap_or_default();
    let choice = given.get("choice").filter(|choice| !choice.is_empty());
    let unknown =
        choice.is_some_and(|key| broadcast.options().iter().all(|(known, _)| known != key));
    if unknown || (choice.is_none() && text.is_empty()) {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, "answer_empty"));
    }
    if text.chars().count() > MAX_CHARACTERS {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, "answer_long"));
    }
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let place = place(peer, forwarded, &parts.settings.http.trusted_proxies);
    if !pace.allows(&place, &broadcast.row.code, now) {
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, "answer_often");
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("600"));
        return Ok(response);
    }
    let reference = parts.clock.id();
    let inbound = Inbound {
        channel: "web".to_owned(),
        provider_id: reference.clone(),
        from: String::new(),
        to: broadcast.row.code.clone(),
        text: Some(text),
        choice: choice.cloned(),
        in_reply_to: None,
        reference: None,
        edited: false,
        raw: body.to_vec(),
        received_at_ms: now,
    };
    if let Err(error) = parts.sink.inbound(inbound).await {
        tracing::warn!(%error, "an answer given on a page is not stored");
        return Ok(again(StatusCode::SERVICE_UNAVAILABLE, "answer_not_stored"));
    }
    let language = pages::known_language(Some(broadcast.message().language.as_str()));
    let to = format!("/c/{}/thanks?lang={language}&ref={reference}", broadcast.row.code);
    Ok(pages::with_headers(Redirect::to(&to).into_response()))
}

pub(super) async fn thanks(
    State(parts): State<Arc<Parts>>,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let broadcast = find(&parts, &code, &asked).await?;
    let language = language(&asked, None);
    // shown only where it can be one of ours: a link must not put words into this page
    let is_ours = |text: &&String| text.len() == 26 && crate::clock::from_base32(text).is_some();
    let context = context! {
        language,
        identity => parts.settings.identity.name.as_str(),
        title => pages::phrase(language, "thanks_title"),
        reference => asked.get("ref").filter(is_ours),
        back => broadcast.link(broadcast.message()),
        contact => contact(&parts, &broadcast),
    };
    Ok(pages::render("citizen/thanks.html", &context))
}

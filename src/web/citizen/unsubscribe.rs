//! `/u/{token}`: one-click unsubscribe (RFC 8058). The mail program's POST needs no cookie, is
//! answered 200 without a redirect, and takes effect at once; a GET only shows the button.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use minijinja::context;

use super::{Asked, Page, Sorry, language};
use crate::{
    audience::subscribing,
    bus::Room,
    model::seal::Purpose,
    store::{CitizenRow, SentTo},
    web::{Parts, Problem, api::source, pages},
};

/// Where a delivery went.
struct Target {
    channel: String,
    /// None: the person is erased, and nothing is written to them any more.
    open: Option<(CitizenRow, String)>,
}

async fn find(parts: &Parts, token: &str, language: &'static str) -> Result<Target, Sorry> {
    let nothing = || Sorry::nothing_here(language);
    let delivery = parts.sealer.read_token(Purpose::Unsubscribe, token).ok_or_else(nothing)?;
    let sent = parts.store.sent_to(delivery).await?.ok_or_else(nothing)?;
    let open = holder(parts, &sent).await?;
    Ok(Target { channel: sent.channel, open })
}

/// The citizen, and the fingerprint of the address that is meant: the one written to, else the one
/// that has taken its place.
async fn holder(parts: &Parts, sent: &SentTo) -> Result<Option<(CitizenRow, String)>, Sorry> {
    let Some(citizen) = sent.citizen else { return Ok(None) };
    let Some(citizen) = parts.store.citizen(citizen).await? else { return Ok(None) };
    if let Some(fingerprint) = &sent.fingerprint {
        return Ok(Some((citizen, fingerprint.clone())));
    }
    let fingerprint = fingerprint(parts, citizen.id, &sent.channel).await?;
    Ok(fingerprint.map(|fingerprint| (citizen, fingerprint)))
}

/// The fingerprint of a citizen's address on a channel.
pub(super) async fn fingerprint(
    parts: &Parts,
    citizen: i64,
    channel: &str,
) -> Result<Option<String>, Sorry> {
    let addresses = parts.store.addresses(citizen).await?;
    let Some(one) = addresses.into_iter().find(|one| one.channel == channel) else {
        return Ok(None);
    };
    let address = parts.sealer.open_text(&one.sealed).map_err(|error| {
        tracing::error!(%error, "an address can't be read");
        Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "sealed")
    })?;
    Ok(Some(parts.sealer.fingerprint(channel, &address)))
}

/// Closes a channel and tells the bus.
pub(super) async fn object(
    parts: &Parts,
    citizen: &CitizenRow,
    channel: &str,
    fingerprint: &str,
) -> Result<bool, Sorry> {
    let now = parts.clock.now();
    let left =
        subscribing::left(&citizen.pseudonym, channel, &citizen.commune, &source(parts), now);
    let reason = "unsubscribed";
    let changed =
        parts.store.object(channel, fingerprint, reason, Some(&left), now.as_millisecond()).await?;
    parts.bells.ring(Room::Relay);
    Ok(changed)
}

pub(super) async fn ask(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let target = find(&parts, &token, language(&asked, None)).await?;
    let own = target.open.as_ref().map(|(citizen, _)| citizen.language.as_str());
    let language = language(&asked, own);
    let context = context! {
        language,
        identity => parts.settings.identity.name.as_str(),
        title => pages::phrase(language, "unsubscribe_title"),
        channel => target.channel,
        languages => pages::LANGUAGES,
        address => format!("/u/{token}"),
    };
    Ok(pages::render("citizen/unsubscribe.html", &context))
}

/// Whatever the body says: the token alone says what is wanted, and asking twice changes nothing.
pub(super) async fn close(
    State(parts): State<Arc<Parts>>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Page {
    let target = find(&parts, &token, language(&asked, None)).await?;
    let own = target.open.as_ref().map(|(citizen, _)| citizen.language.as_str());
    let language = language(&asked, own);
    if let Some((citizen, fingerprint)) = &target.open {
        object(&parts, citizen, &target.channel, fingerprint).await?;
    }
    let context = context! {
        language,
        identity => parts.settings.identity.name.as_str(),
        title => pages::phrase(language, "unsubscribed_title"),
        channel => target.channel,
    };
    Ok(pages::render("citizen/unsubscribed.html", &context))
}

//! From a checked subscriber to rows: addresses sealed, and what the bus is told of who comes and
//! goes.

use jiff::Timestamp;

use crate::{
    clock::Clock,
    model::{
        outgoing::{ChannelName, CitizenData, OutgoingKind},
        seal::Sealer,
        subscriber::CheckedSubscriber,
    },
    store::{NewAddress, NewCitizen, NewOutgoing},
};

/// What [`crate::store::Store::register`] takes. `actor` is who registers: `import`, a token's name.
#[must_use]
pub fn to_new_citizen(
    checked: &CheckedSubscriber,
    sealer: &Sealer,
    clock: &Clock,
    actor: &str,
) -> NewCitizen {
    let addresses = (1..).zip(&checked.addresses).map(|(place, (channel, address))| NewAddress {
        channel: (*channel).to_owned(),
        sealed: sealer.seal(address.as_bytes()),
        fingerprint: sealer.fingerprint(channel, address),
        place,
    });
    NewCitizen {
        pseudonym: clock.id(),
        external_id: checked.external_id.clone(),
        first_name: checked.first_name.as_ref().map(|name| sealer.seal(name.as_bytes())),
        commune: checked.commune.clone(),
        language: checked.language.clone(),
        register: checked.register.to_owned(),
        frequency: checked.frequency.to_owned(),
        age_band: checked.age_band.to_owned(),
        addresses: addresses.collect(),
        themes: checked.themes.clone(),
        groups: checked.groups.clone(),
        consent_at: checked.consent_at,
        consent_source: checked.consent_source.clone(),
        actor: actor.to_owned(),
    }
}

/// The row that tells the bus of a new citizen. `source` is the gateway's name as a URI reference.
#[must_use]
pub fn joined(new: &NewCitizen, pseudonym: &str, source: &str, now: Timestamp) -> NewOutgoing {
    let channel = new.addresses.first().map_or("", |address| &address.channel);
    // once for each citizen: a retried import says it again under the same id
    let id = format!("citizen.joined:{pseudonym}");
    told(OutgoingKind::CitizenJoined, &id, pseudonym, channel, &new.commune, source, now)
}

/// The row that tells the bus of a citizen who closed a channel, or was erased.
#[must_use]
pub fn left(
    pseudonym: &str,
    channel: &str,
    commune: &str,
    source: &str,
    now: Timestamp,
) -> NewOutgoing {
    let id = format!("citizen.left:{pseudonym}:{channel}:{}", now.as_millisecond());
    told(OutgoingKind::CitizenLeft, &id, pseudonym, channel, commune, source, now)
}

fn told(
    kind: OutgoingKind,
    id: &str,
    pseudonym: &str,
    channel: &str,
    commune: &str,
    source: &str,
    now: Timestamp,
) -> NewOutgoing {
    let data = CitizenData {
        pseudonym: pseudonym.to_owned(),
        channel: match channel {
            "sms" => ChannelName::Sms,
            "telegram" => ChannelName::Telegram,
            "web" => ChannelName::Web,
            _ => ChannelName::Email,
        },
        commune: (!commune.is_empty()).then(|| commune.to_owned()),
    };
    NewOutgoing::event(kind, id, source, now, &data)
}

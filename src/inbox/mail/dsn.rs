//! Machine-readable reports: delivery status (RFC 3464, internationalised by RFC 6533) and the
//! feedback of complaints (RFC 5965).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::address;
use super::verdict::{self, Cause};
use super::{Action, Bounce};

/// Recipients of one report that are read; a message of ours has one.
const MAX_RECIPIENTS: usize = 500;

/// How much of the part for people is searched for what the fields leave out, in bytes.
const STORY: usize = 8_000;

/// Fields of one block: lower-case names, unfolded values.
pub(super) type Block = Vec<(String, String)>;

/// The blocks of fields of a report's part, separated by blank lines.
pub(super) fn blocks(part: &[u8]) -> Vec<Block> {
    super::steps::count(part.len());
    let text = String::from_utf8_lossy(part);
    let mut blocks = vec![Block::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            if blocks.last().is_some_and(|block| !block.is_empty()) {
                blocks.push(Block::new());
            }
            continue;
        }
        let Some(block) = blocks.last_mut() else { continue };
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = block.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            block.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

pub(super) fn field<'b>(block: &'b Block, name: &str) -> Option<&'b str> {
    block.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// What a delivery status says of each recipient; those that were reached are left out.
pub(super) fn failures(part: &[u8], story: &str) -> Vec<Bounce> {
    let story = super::fold::head(story, STORY).to_ascii_lowercase();
    let mut bounces: Vec<Bounce> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for block in blocks(part).iter().take(MAX_RECIPIENTS) {
        let Some(bounce) = failure(block, &story) else { continue };
        match known.entry(bounce.recipient.to_lowercase()) {
            Entry::Occupied(at) => bounces[*at.get()].suppress |= bounce.suppress,
            Entry::Vacant(place) => {
                place.insert(bounces.len());
                bounces.push(bounce);
            }
        }
    }
    bounces
}

fn failure(block: &Block, story: &str) -> Option<Bounce> {
    let recipient = ["original-recipient", "final-recipient", "x-actual-recipient"]
        .iter()
        .find_map(|name| address_of(field(block, name)?))?;
    let stated = field(block, "status").and_then(verdict::status_in);
    let action = match field(block, "action").map(str::to_ascii_lowercase) {
        Some(action) if action.starts_with("fail") || action.starts_with("error") => Action::Failed,
        Some(action) if action.starts_with("delay") => Action::Delayed,
        Some(_) => return None,
        // A report without the field that matters most: the code decides.
        None if stated.as_deref().is_some_and(|status| status.starts_with('4')) => Action::Delayed,
        None if stated.is_some() => Action::Failed,
        None => return None,
    };
    let diagnostic = field(block, "diagnostic-code").unwrap_or_default();
    // `5.0.0` says nothing; the server's own words may.
    let vague = stated.as_deref().is_none_or(|status| status.ends_with(".0.0"));
    let told = if vague { verdict::status_in(diagnostic) } else { None };
    let status = told.filter(|told| !told.ends_with(".0.0")).or(stated);
    let words =
        if diagnostic.is_empty() { about(story, &recipient) } else { diagnostic.to_owned() };
    Some(settle(recipient, action, status, &words))
}

/// A bounce with everything that follows from its parts.
pub(super) fn settle(
    recipient: String,
    action: Action,
    status: Option<String>,
    words: &str,
) -> Bounce {
    let cause = verdict::cause(status.as_deref(), words);
    let status = match status {
        // A bare SMTP code gives the class; the words give the rest.
        Some(vague) if vague.ends_with(".0.0") => cause.status().replacen('5', &vague[..1], 1),
        Some(status) => status,
        None if action == Action::Delayed => cause.status().replacen('5', "4", 1),
        None => cause.status().to_owned(),
    };
    let transient = status.starts_with('4');
    let suppress =
        action == Action::Failed && cause.dead() && (!transient || cause == Cause::DeadAddress);
    Bounce { recipient, status, action, suppress }
}

/// What the part for people, in lower case, says around an address.
fn about(story: &str, recipient: &str) -> String {
    super::steps::count(story.len());
    let found = story.find(&recipient.to_ascii_lowercase());
    found
        .map(|at| {
            let from = (at.saturating_sub(200)..=at).find(|from| story.is_char_boundary(*from));
            super::fold::head(&story[from.unwrap_or(at)..], 1_000).to_owned()
        })
        .unwrap_or_default()
}

/// `rfc822; x@y`, `<x@y>`, `RFC822;<x@y>`; RFC 6533's `utf-8; é@y`.
fn address_of(value: &str) -> Option<String> {
    let bare = match value.split_once(';') {
        Some((kind, rest))
            if matches!(
                kind.trim().to_ascii_lowercase().as_str(),
                "rfc822" | "utf-8" | "unknown" | "smtp"
            ) =>
        {
            rest
        }
        Some(_) => return None,
        None => value,
    };
    address::first(bare)
}

//! Is this mail a report of a failed delivery, and of whose.

use std::cell::LazyCell;

use super::fold::fold;
use super::mime::Mail;
use super::phrases::Table;
use super::{Bounce, Envelope, dsn, freeform};

const FILE: &str = include_str!("phrases/bounces.txt");

/// The failures that a mail reports; none where it is not a report of failures.
pub(super) fn read(mail: &Mail<'_>, envelope: &Envelope) -> Option<Vec<Bounce>> {
    // Most mails are no reports: their text is put together only where it will be looked at.
    let text = LazyCell::new(|| mail.all_text());
    let mut failed = Vec::new();
    let mut report = false;
    for subtype in ["delivery-status", "global-delivery-status"] {
        for part in mail.parts_of("message", subtype) {
            report = true;
            failed.extend(dsn::failures(part, &text));
        }
    }
    if failed.is_empty() && !report && from_a_server(mail) {
        // A gateway wrapped the report in a mail of its own.
        failed.extend(
            mail.embedded_parts_of("message", "delivery-status")
                .flat_map(|part| dsn::failures(part, &text)),
        );
    }
    if !failed.is_empty() {
        return Some(failed);
    }
    let said = || opening(&text).any(|line| tells_of_failure(&line));
    if reports_success(mail) || !reports_a_failure(mail, envelope, said) {
        return None;
    }
    Some(freeform::failures(mail, &text))
}

/// A report that everything arrived, was relayed or passed to a list.
pub(super) fn reports_success(mail: &Mail<'_>) -> bool {
    let mut actions = mail
        .parts_of("message", "delivery-status")
        .flat_map(dsn::blocks)
        .filter_map(|block| dsn::field(&block, "action").map(str::to_ascii_lowercase))
        .peekable();
    let good = |action: &String| {
        ["deliver", "relay", "expand"].iter().any(|known| action.starts_with(known))
    };
    actions.peek().is_some() && actions.all(|action| good(&action))
}

/// Two signs of three: who sent it, what its subject says, what its first lines say.
fn reports_a_failure(mail: &Mail<'_>, envelope: &Envelope, said: impl FnOnce() -> bool) -> bool {
    if mail.header("x-failed-recipients").is_some() {
        return true;
    }
    let subject = mail.subject().map(|subject| fold(&subject)).unwrap_or_default();
    let judged =
        SUBJECTS.iter().any(|phrase| subject.trim_end_matches([')', '.', '!']).ends_with(phrase));
    if answers(&subject) && !judged && !from_a_server(mail) {
        return false;
    }
    let sender =
        from_a_server(mail) || null_path(mail, envelope) || mail.is_report("delivery-status");
    let titled = SUBJECTS.within(&subject).is_some();
    (sender && titled) || ((sender || titled) && said())
}

fn answers(subject: &str) -> bool {
    ["re:", "re :", "aw:", "sv:", "antw:", "tr:", "fw:", "fwd:"]
        .iter()
        .any(|prefix| subject.starts_with(prefix))
}

/// A phrase that reports use, or `<x@y>:`, as qmail and its followers put it above the reason.
fn tells_of_failure(line: &str) -> bool {
    let names = line.starts_with('<') && line.ends_with(">:");
    STORIES.within(line).is_some() || (names && super::attribution::has_address(line))
}

/// The first lines that are not quoted, folded.
fn opening(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().filter(|line| !line.trim_start().starts_with('>')).take(40).map(fold)
}

pub(super) fn null_path(mail: &Mail<'_>, envelope: &Envelope) -> bool {
    let null = |path: &str| matches!(path.trim(), "" | "<>");
    envelope.from.as_deref().map_or_else(|| mail.header("return-path").is_some_and(null), null)
}

/// The programs that carry mail.
pub(super) fn from_a_server(mail: &Mail<'_>) -> bool {
    let raw = fold(mail.header("from").unwrap_or_default());
    let name = mail.sender_name().map(|name| fold(&name)).unwrap_or_default();
    let address = mail.from().unwrap_or_default().to_ascii_lowercase();
    let local = address.split('@').next().unwrap_or_default();
    SERVERS.iter().any(|known| {
        local == known
            || (raw.starts_with(known) && !raw[known.len()..].starts_with(char::is_alphanumeric))
    }) || SERVER_NAMES.iter().any(|known| name.contains(known) || raw.contains(known))
}

static SERVERS: Table = Table::new(FILE, "servers");

static SERVER_NAMES: Table = Table::new(FILE, "server_names");

static SUBJECTS: Table = Table::new(FILE, "subjects");

static STORIES: Table = Table::new(FILE, "stories");

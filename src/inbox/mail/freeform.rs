//! Bounces that only people were meant to read: qmail, Exim, Exchange, webmail providers,
//! gateways. No two are laid out alike, so the reader does not look for a layout: it takes the
//! addresses of the story that the report tells before it repeats the original, leaves out those
//! of the parties to the report itself, and weighs the words around each.

use super::fold::fold;
use super::mime::Mail;
use super::phrases::Table;
use super::{Action, Bounce, address, dsn, verdict};

const FILE: &str = include_str!("phrases/reports.txt");

/// Lines of a story that are read.
const MAX_LINES: usize = 400;

/// Recipients of one free-form report: more is not a report but a list of addresses.
const MAX_RECIPIENTS: usize = 200;

pub(super) fn failures(mail: &Mail<'_>, text: &str) -> Vec<Bounce> {
    let own = parties(mail);
    let story = story(text);
    let action = action(&story, mail.subject().as_deref().unwrap_or_default());
    let mut recipients: Vec<(String, usize)> = Vec::new();
    let mut add = |address: String, line: usize| {
        let known = recipients.iter().any(|(known, _)| known.eq_ignore_ascii_case(&address));
        if !known && recipients.len() < MAX_RECIPIENTS {
            recipients.push((address, line));
        }
    };
    let named: Vec<String> = mail.all("x-failed-recipients").flat_map(address::all).collect();
    if named.is_empty() {
        let told = told(&story, &own);
        for (address, line) in told {
            add(address, line);
        }
        if recipients.is_empty() {
            for address in address::all(&mail.subject().unwrap_or_default())
                .into_iter()
                .filter(|address| !is_own(&own, address))
            {
                recipients.push((address, 0));
            }
        }
    } else {
        for address in named {
            let line = story.iter().position(|line| line.contains(&address)).unwrap_or(0);
            add(address, line);
        }
    }
    let several = recipients.len() > 1;
    let starts: Vec<usize> = recipients.iter().map(|(_, line)| *line).collect();
    recipients
        .into_iter()
        .map(|(recipient, line)| {
            let end =
                starts.iter().copied().filter(|start| *start > line).min().unwrap_or(story.len());
            let words = if several { story[line..end].join("\n") } else { story.join("\n") };
            dsn::settle(recipient, action, verdict::status_in(&words), &words)
        })
        .collect()
}

/// The addresses that the report itself travels between, in lower case.
fn parties(mail: &Mail<'_>) -> Vec<String> {
    [
        "from",
        "to",
        "cc",
        "sender",
        "reply-to",
        "return-path",
        "envelope-to",
        "errors-to",
        "x-envelope-from",
    ]
    .iter()
    .flat_map(|name| mail.all(name))
    .flat_map(address::all)
    .map(|address| address.to_ascii_lowercase())
    .collect()
}

fn is_own(own: &[String], address: &str) -> bool {
    let low = address.to_ascii_lowercase();
    let local = low.split('@').next().unwrap_or_default();
    own.contains(&low)
        || [
            "postmaster",
            "mailer-daemon",
            "abuse",
            "mail-daemon",
            "mailmaster",
            "hostmaster",
            "webmaster",
            "helpdesk",
            "noreply",
            "no-reply",
        ]
        .contains(&local)
}

/// The report up to where it repeats the original.
fn story(text: &str) -> Vec<&str> {
    let mut story = Vec::new();
    for line in text.lines().take(MAX_LINES) {
        super::steps::count(line.len().min(super::fold::GLANCE));
        let folded = fold(line);
        let trimmed = folded.trim_matches([' ', '-', '*', '=', '_', '<', '>', '|', '.', ':']);
        let copies = COPIES.within(trimmed).is_some() && !trimmed.contains(" not ");
        if !story.is_empty()
            && (copies
                || folded.starts_with("received: from")
                || folded.starts_with("return-path:"))
        {
            break;
        }
        story.push(line);
    }
    story
}

/// The addresses that the story is about.
fn told(story: &[&str], own: &[String]) -> Vec<(String, usize)> {
    let mut sure = Vec::new();
    let mut maybe = Vec::new();
    for (at, line) in story.iter().enumerate() {
        let folded = fold(line);
        let trimmed = folded
            .trim_start_matches([' ', '<', '>', '*', '-', '"', '(', '[', '|', '\'', ':', '.']);
        for address in address::all(line) {
            if is_own(own, &address) || aside(&folded) {
                continue;
            }
            let leads = trimmed.starts_with(&address.to_ascii_lowercase());
            if leads || NAMES.within(&folded).is_some() {
                sure.push((address, at));
            } else {
                maybe.push((address, at));
            }
        }
    }
    if !sure.is_empty() {
        return sure;
    }
    // What the header named is whom the failure is about only where nothing else is.
    let (header, rest): (Vec<_>, Vec<_>) = maybe.into_iter().partition(|(_, at)| {
        let folded = fold(story[*at]);
        ["to:", "to :", "a :", "a:", "cc:"].iter().any(|label| folded.starts_with(label))
    });
    if rest.is_empty() { header } else { rest }
}

/// Lines whose addresses are not recipients: advice, headers, the sender.
fn aside(folded: &str) -> bool {
    ASIDES.within(folded).is_some()
        || [
            "from:",
            "de:",
            "sender:",
            "reply-to:",
            "message-id:",
            "subject:",
            "return-path:",
            "in-reply-to:",
            "mail from:",
            "x-",
        ]
        .iter()
        .any(|label| folded.starts_with(label))
}

fn action(story: &[&str], subject: &str) -> Action {
    let mut folded: Vec<String> = story.iter().map(|line| fold(line)).collect();
    folded.push(fold(subject));
    let says = |table: &Table| folded.iter().any(|line| table.within(line).is_some());
    if says(&GIVEN_UP) || !says(&STILL_TRYING) { Action::Failed } else { Action::Delayed }
}

static COPIES: Table = Table::new(FILE, "copies");

static NAMES: Table = Table::new(FILE, "names");

static ASIDES: Table = Table::new(FILE, "asides");

static STILL_TRYING: Table = Table::new(FILE, "still_trying");

static GIVEN_UP: Table = Table::new(FILE, "given_up");

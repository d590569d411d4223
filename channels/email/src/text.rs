//! The text part: the same words, wrapped, with addresses and option keys written out.

use portevoix_contract::{Action, Message, Recipient, plain_text};

use crate::{mime::one_line, words::Words};

const WIDTH: usize = 76;

pub(crate) fn text_part(
    message: &Message,
    recipient: &Recipient,
    words: &Words,
    signature: &[String],
) -> String {
    let mut out = String::with_capacity(2048);
    wrap(&mut out, &message.title);
    out.push_str(&"-".repeat(message.title.chars().count().clamp(3, WIDTH)));
    out.push_str("\n\n");
    if let Some(claim) = words.claim(message.text_state) {
        wrap(&mut out, claim);
        out.push('\n');
    }
    if let Some(greeting) = greeting(message, recipient) {
        wrap(&mut out, &greeting);
        out.push('\n');
    }
    wrap(&mut out, &plain_text(&message.blocks));
    out.push('\n');
    actions(&mut out, message, words);
    // What follows a line of "-- " is a signature: mail programs leave it out of replies.
    out.push_str("-- \n");
    let footer = plain_text(&message.footer);
    if !footer.is_empty() {
        wrap(&mut out, &footer);
        out.push('\n');
    }
    for line in signature {
        wrap(&mut out, line);
    }
    let links = [
        (words.view_page, message.page.as_deref()),
        (words.preferences, recipient.preferences.as_deref()),
        (words.unsubscribe, recipient.unsubscribe.as_deref()),
    ];
    for (label, url) in links {
        if let Some(url) = url {
            out.push_str(label);
            out.push_str(words.colon);
            out.push('\n');
            out.push_str(url);
            out.push('\n');
        }
    }
    out
}

pub(crate) fn greeting(message: &Message, recipient: &Recipient) -> Option<String> {
    let greeting = message.greeting.as_deref()?;
    Some(match recipient.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => format!("{greeting} {name},"),
        None => format!("{greeting},"),
    })
}

fn actions(out: &mut String, message: &Message, words: &Words) {
    let answerable = message
        .actions
        .iter()
        .any(|action| matches!(action, Action::Answer { .. } | Action::Choose { .. }));
    if answerable {
        wrap(out, words.just_reply);
        out.push('\n');
    }
    let mut options = false;
    for action in &message.actions {
        if let Action::Choose { key, label } = action {
            if !options {
                wrap(out, words.choose_by_key);
                options = true;
            }
            wrap(out, &format!("   {key} - {label}"));
        }
    }
    if options {
        out.push('\n');
    }
    for action in &message.actions {
        if let Action::Link { label, url } = action {
            wrap(out, label);
            if is_openable(url) {
                out.push_str(&one_line(url));
                out.push('\n');
            }
            out.push('\n');
        }
    }
}

/// Whether a citizen can expect what opening it does; anything else keeps its words only.
pub(crate) fn is_openable(url: &str) -> bool {
    ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| url.starts_with(scheme))
}

/// Appends `text` and a line feed, each line broken at spaces before column 76, with the line's
/// own indent and quote mark repeated. A word longer than a line (an address) stays whole.
fn wrap(out: &mut String, text: &str) {
    for line in text.lines() {
        let line = line.trim_end();
        let (first, rest, body) = margins(line);
        out.push_str(first);
        let mut column = first.chars().count();
        let mut fresh = true;
        for word in body.split(' ') {
            let width = word.chars().count();
            if !fresh && column + 1 + width > WIDTH {
                out.push('\n');
                out.push_str(&rest);
                column = rest.chars().count();
                fresh = true;
            }
            if !fresh {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += width;
            fresh = false;
        }
        out.push('\n');
    }
}

/// What a line starts with, what its continuations start with, and the rest of it.
fn margins(line: &str) -> (&str, String, &str) {
    let marks = line.len() - line.trim_start_matches([' ', '>']).len();
    let after = &line[marks..];
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let bullet = if after.starts_with("- ") {
        2
    } else if (1..4).contains(&digits) && after[digits..].starts_with(". ") {
        digits + 2
    } else {
        0
    };
    let rest = format!("{}{}", &line[..marks], " ".repeat(bullet));
    (&line[..marks + bullet], rest, &line[marks + bullet..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_before_76_and_keep_their_margin() {
        let mut out = String::new();
        let words = "participation citoyenne ".repeat(8);
        wrap(&mut out, &format!("- {words}\n> {words}\n12. {words}"));
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH), "{out}");
        let second: Vec<&str> = out.lines().collect();
        assert!(
            second[1].starts_with("  p")
                && out.lines().filter(|l| l.starts_with("> ")).count() == 3
        );
        assert!(out.lines().last().is_some_and(|line| line.starts_with("    ")));
    }

    #[test]
    fn an_address_is_never_broken() {
        let mut out = String::new();
        let url = format!("https://lille.fr/{}", "a".repeat(100));
        wrap(&mut out, &format!("voir {url} ici"));
        assert_eq!(out, format!("voir\n{url}\nici\n"));
    }
}

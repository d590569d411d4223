use std::fmt;

use portevoix_contract::{Action, Message, Recipient, Register, Unshapeable};
use serde::{Deserialize, Serialize};

use crate::{
    button::{Button, LABEL_CHARS, link_button, option_button},
    layout::write_blocks,
    runs::{Runs, Style},
    split::{PART_UNITS, sentence_ends, split},
    words::{Words, words},
};

pub(crate) const CHANNEL: &str = "telegram";

/// What is sent: one part or several, in order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelegramContent {
    pub parts: Vec<TelegramPart>,
}

/// One message of the chat.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelegramPart {
    /// For `parse_mode: HTML`; of its tags only `b`, `i` and `a`.
    pub html: String,
    /// What is read once entities are parsed: at most [`PART_UNITS`].
    pub text: String,
    /// Rows of buttons; only below the last part.
    pub buttons: Vec<Vec<Button>>,
}

/// Never the words: what is sent to a citizen has no place in a log.
impl fmt::Debug for TelegramContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramContent").field("parts", &self.parts).finish()
    }
}

impl fmt::Debug for TelegramPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramPart")
            .field("units", &self.text.encode_utf16().count())
            .field("buttons", &self.buttons.len())
            .finish_non_exhaustive()
    }
}

/// Makes messages into Telegram's own form. Pure, and without settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct TelegramShaper;

impl TelegramShaper {
    /// Title, label of the register, greeting, text, what can be done, footer; options, links and
    /// the accessible page as buttons. A link that Telegram takes no button for is written out.
    ///
    /// # Errors
    /// Where nothing is left to read, or an option's key does not fit into 64 bytes with the token.
    pub fn shape(
        &self,
        message: &Message,
        recipient: &Recipient,
    ) -> Result<TelegramContent, Unshapeable> {
        let plain = message.register == Register::Plain;
        let fixed = words(&message.language);
        let mut body = Runs::default();
        write_blocks(&mut body, &message.blocks, plain);
        if plain {
            one_sentence_a_line(&mut body);
        }
        if message.title.trim().is_empty() && body.text().trim().is_empty() {
            let why = "neither title nor text".to_owned();
            return Err(Unshapeable { channel: CHANNEL, why });
        }

        let mut runs = Runs::default();
        write_head(&mut runs, message, recipient, fixed);
        runs.append(body);
        runs.end_paragraph();
        let buttons = write_actions(&mut runs, message, recipient, fixed)?;
        write_blocks(&mut runs, &message.footer, plain);
        if message.broadcast {
            runs.push_plain(fixed.stop);
        }
        Ok(TelegramContent { parts: parts(&runs, buttons) })
    }
}

fn write_head(runs: &mut Runs, message: &Message, recipient: &Recipient, fixed: &Words) {
    let bold = Style { bold: true, ..Style::default() };
    runs.push(&one_line(&message.title), &bold);
    runs.end_paragraph();
    if let Some(label) = fixed.label(message.text_state) {
        runs.push_plain(label);
        runs.end_paragraph();
    }
    if let Some(greeting) = &message.greeting {
        runs.push_plain(&one_line(greeting));
        if let Some(name) = &recipient.name {
            runs.push_plain(&format!(" {}", one_line(name)));
        }
        runs.push_plain(",");
        runs.end_paragraph();
    }
}

/// Writes what buttons can't say, and gives the buttons, one a row.
fn write_actions(
    runs: &mut Runs,
    message: &Message,
    recipient: &Recipient,
    fixed: &Words,
) -> Result<Vec<Vec<Button>>, Unshapeable> {
    let mut buttons = Vec::new();
    let mut links: Vec<(&str, &str)> = Vec::new();
    let mut answerable = false;
    for action in &message.actions {
        match action {
            Action::Answer { label } => {
                answerable = true;
                runs.push(&one_line(label), &Style { bold: true, ..Style::default() });
                runs.end_line();
            }
            Action::Choose { key, label } => {
                answerable = true;
                if label.chars().count() > LABEL_CHARS {
                    runs.push_plain(&format!("{} — {}", one_line(key), one_line(label)));
                    runs.end_line();
                }
                buttons.push(option_button(recipient, key, label)?);
            }
            Action::Link { label, url } => links.push((label, url)),
        }
    }
    if answerable {
        runs.push_plain(fixed.reply);
        runs.end_paragraph();
    }
    links.extend(message.page.as_deref().map(|page| (fixed.page, page)));
    links.extend(recipient.preferences.as_deref().map(|page| (fixed.preferences, page)));
    for (label, url) in links {
        match link_button(label, url) {
            Some(button) => buttons.push(button),
            // Any other scheme is not a page to open.
            None if url.starts_with("http://") || url.starts_with("https://") => {
                let (label, url) = (one_line(label), one_line(url));
                runs.push_plain(&format!("{label}{}{url}", fixed.colon));
                runs.end_line();
            }
            None => {}
        }
    }
    runs.end_paragraph();
    Ok(buttons.into_iter().map(|button| vec![button]).collect())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Plain language: one idea a line.
fn one_sentence_a_line(runs: &mut Runs) {
    let text = runs.text();
    let spaces: Vec<usize> = sentence_ends(&text)
        .filter(|at| *at > 0 && text.as_bytes()[at - 1] == b' ')
        .map(|at| at - 1)
        .collect();
    runs.break_at(&spaces);
}

fn parts(runs: &Runs, buttons: Vec<Vec<Button>>) -> Vec<TelegramPart> {
    let text = runs.text();
    let mut parts: Vec<TelegramPart> = split(&text, PART_UNITS)
        .into_iter()
        .filter_map(|slice| {
            // White space at either end is not shown, and nothing but white space is refused.
            let kept = text[slice.clone()].trim();
            let start = slice.start + text[slice].find(kept)?;
            let html = runs.html(&(start..start + kept.len()));
            let readable = !kept.is_empty();
            readable.then(|| TelegramPart { html, text: kept.to_owned(), buttons: Vec::new() })
        })
        .collect();
    if let Some(last) = parts.last_mut() {
        last.buttons = buttons;
    }
    parts
}

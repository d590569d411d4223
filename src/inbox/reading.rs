//! From what a channel handed over to words, a class, and what they answer.

use portevoix_contract::Language;

use super::{gate::Packed, mail};

/// What a reply says, whatever its channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// As contract.md names classes: `reply`, `auto_reply`, `bounce` …
    pub(super) class: String,
    pub(super) reason: Option<String>,
    pub(super) text: String,
    pub(super) quoted: Option<String>,
    pub(super) language: Option<String>,
    /// The address it came from: the author's for mail, not the envelope's.
    pub(super) from: String,
    /// With angle brackets, for mail.
    pub(super) message_id: Option<String>,
    /// References of messages that it answers, the nearest first.
    pub(super) answers: Vec<String>,
    /// Delivery token and whether it came back on the return path.
    pub(super) token: Option<mail::Token>,
    pub(super) bounces: Vec<mail::Bounce>,
    pub(super) attachments: usize,
    pub(super) choice: Option<String>,
    pub(super) edited: bool,
    pub(super) acknowledge: bool,
}

/// Reads a mail's bytes; other channels bring their words.
pub(super) fn words(channel: &str, packed: &Packed) -> Words {
    if channel == "email" {
        return from_mail(packed);
    }
    let text = packed.text.clone().unwrap_or_default();
    let empty = text.trim().is_empty() && packed.choice.is_none();
    Words {
        class: if empty { "empty" } else { "reply" }.to_owned(),
        reason: empty.then(|| "no words in it".to_owned()),
        language: mail::language_of(&text).map(str::to_owned),
        text,
        from: packed.from.clone(),
        answers: packed.in_reply_to.clone().into_iter().collect(),
        choice: packed.choice.clone(),
        edited: packed.edited,
        acknowledge: true,
        ..Words::default()
    }
}

fn from_mail(packed: &Packed) -> Words {
    let envelope = mail::Envelope {
        from: Some(packed.from.clone()).filter(|from| !from.is_empty()),
        to: Some(packed.to.clone()).filter(|to| !to.is_empty()),
    };
    let read = mail::read(&packed.raw(), &envelope);
    let bracketed = |id: &String| format!("<{id}>");
    let mut answers: Vec<String> = read.in_reply_to.iter().map(bracketed).collect();
    answers.extend(read.references.iter().rev().map(bracketed));
    let class = serde_json::to_value(read.class)
        .ok()
        .and_then(|class| class.as_str().map(str::to_owned))
        .unwrap_or_else(|| "unreadable".to_owned());
    Words {
        class,
        reason: Some(read.reason).filter(|reason| !reason.is_empty()),
        text: read.text,
        quoted: Some(read.quoted).filter(|quoted| !quoted.is_empty()),
        language: read.language.map(|language| Language::new(language).to_string()),
        from: read.from.unwrap_or_else(|| packed.from.clone()).to_lowercase(),
        message_id: read.message_id.as_ref().map(bracketed),
        answers,
        token: read.token,
        bounces: read.bounces,
        attachments: read.attachments.len(),
        choice: None,
        edited: false,
        acknowledge: read.may_acknowledge,
    }
}

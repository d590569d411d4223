//! What a citizen's answer looks like when their mail client, phone or chat has sent it.

use portevoix_contract::Inbound;
use serde_json::{Value, json};

use crate::{
    letter::{Direction, Letter},
    letterboxes::Letterboxes,
    mail,
};

/// What the citizen did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Wrote in their own words.
    Text(String),
    /// Pressed the button of this option. Where a channel has no buttons, the key is written.
    Choice(String),
}

impl Answer {
    fn words(&self) -> &str {
        match self {
            Self::Text(text) | Self::Choice(text) => text,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("find the letter {0} in this letterbox")]
    NoSuchLetter(String),
    #[error("read or keep a letter: {0}")]
    File(#[from] std::io::Error),
}

/// Where the made-up people write when they answer no letter.
const NOBODY_IN_PARTICULAR: &str = "participation@sandbox.invalid";

impl Letterboxes {
    /// Keeps the answer in the citizen's letterbox and gives it as the channel would hand it over:
    /// an RFC 5322 mail as common clients write it, a text message, a chat update. `in_reply_to`
    /// is the id of the letter answered; none: a letter out of the blue.
    ///
    /// # Errors
    /// Where that letter is not there, or the file can't be read or written.
    pub fn answer(
        &self,
        channel: &str,
        address: &str,
        answer: &Answer,
        in_reply_to: Option<&str>,
        now_ms: i64,
    ) -> Result<Inbound, AnswerError> {
        let original = match in_reply_to {
            None => None,
            Some(id) => Some(
                self.letter(channel, address, id)?
                    .ok_or_else(|| AnswerError::NoSuchLetter(id.to_owned()))?,
            ),
        };
        let letter = self.keep_sent(|seq| {
            sent_letter(channel, address, answer, original.as_ref(), seq, now_ms)
        })?;
        Ok(match channel {
            "email" => mail_inbound(&letter, answer, original.as_ref()),
            "telegram" => chat_inbound(&letter, answer, original.as_ref()),
            _ => text_inbound(&letter, answer, original.as_ref()),
        })
    }
}

fn sent_letter(
    channel: &str,
    address: &str,
    answer: &Answer,
    original: Option<&Letter>,
    seq: u64,
    now_ms: i64,
) -> Letter {
    let id = format!("answer-{now_ms}-{seq}");
    let reference = match channel {
        "telegram" => format!("{address}:{seq}"),
        "email" => format!("<{id}@{}>", address.rsplit('@').next().unwrap_or("sandbox.invalid")),
        _ => id.clone(),
    };
    let (text, choice) = match answer {
        Answer::Text(text) => (text.as_str(), None),
        Answer::Choice(key) => (key.as_str(), Some(key.as_str())),
    };
    Letter {
        seq,
        id,
        channel: channel.to_owned(),
        address: address.to_owned(),
        at_ms: now_ms,
        direction: Direction::Out,
        title: original.map(|letter| reply_title(&letter.title)).unwrap_or_default(),
        token: None,
        reference,
        content: json!({
            "text": text,
            "choice": choice,
            "in_reply_to": original.map(|letter| &letter.id),
        }),
    }
}

fn reply_title(title: &str) -> String {
    if title.to_lowercase().starts_with("re:") { title.to_owned() } else { format!("Re: {title}") }
}

fn inbound(letter: &Letter, to: &str, raw: Vec<u8>) -> Inbound {
    Inbound {
        channel: letter.channel.clone(),
        provider_id: letter.id.clone(),
        from: letter.address.clone(),
        to: to.to_owned(),
        text: None,
        choice: None,
        in_reply_to: None,
        reference: Some(letter.reference.clone()),
        edited: false,
        raw,
        received_at_ms: letter.at_ms,
    }
}

/// As a mail arrives: nothing but bytes and the envelope. Whoever reads it has to read MIME.
fn mail_inbound(letter: &Letter, answer: &Answer, original: Option<&Letter>) -> Inbound {
    let content = original.map_or(&Value::Null, |letter| &letter.content);
    let field = |name: &str| content.get(name).and_then(Value::as_str);
    let to = field("reply_to").or_else(|| field("from")).unwrap_or(NOBODY_IN_PARTICULAR);
    let reply = mail::Reply {
        from: &letter.address,
        to,
        message_id: &letter.reference,
        subject: &letter.title,
        in_reply_to: original.map(|letter| letter.reference.as_str()),
        text: answer.words(),
        quoted: original.map(|letter| mail::Quoted {
            author: field("from").unwrap_or(to),
            at_ms: letter.at_ms,
            text: field("text").unwrap_or(&letter.title),
        }),
        at_ms: letter.at_ms,
    };
    inbound(letter, mail::address_of(to), mail::write(&reply))
}

fn text_inbound(letter: &Letter, answer: &Answer, original: Option<&Letter>) -> Inbound {
    let to = original
        .and_then(|letter| letter.content.get("sender"))
        .and_then(Value::as_str)
        .unwrap_or("38000");
    let raw = json!({ "id": letter.id, "from": letter.address, "to": to, "text": answer.words() });
    Inbound {
        text: Some(answer.words().to_owned()),
        ..inbound(letter, to, raw.to_string().into_bytes())
    }
}

/// As the Bot API writes an update: <https://core.telegram.org/bots/api#update>.
fn chat_inbound(letter: &Letter, answer: &Answer, original: Option<&Letter>) -> Inbound {
    let chat = json!({ "id": letter.address.parse::<i64>().ok(), "type": "private" });
    let person = json!({ "id": letter.address.parse::<i64>().ok(), "is_bot": false });
    let date = letter.at_ms / 1_000;
    let above = original.map(|letter| {
        json!({
            "message_id": message_number(&letter.reference),
            "date": letter.at_ms / 1_000,
            "chat": chat,
            "text": letter.title,
        })
    });
    let raw = match answer {
        Answer::Text(text) => json!({ "update_id": letter.seq, "message": {
            "message_id": letter.seq, "date": date, "chat": chat, "from": person, "text": text,
            "reply_to_message": above,
        }}),
        Answer::Choice(key) => {
            let token = original.and_then(|letter| letter.token.as_deref()).unwrap_or_default();
            json!({ "update_id": letter.seq, "callback_query": {
                "id": letter.id, "from": person, "message": above, "data": format!("{token}:{key}"),
            }})
        }
    };
    let (text, choice) = match answer {
        Answer::Text(text) => (Some(text.clone()), None),
        Answer::Choice(key) => (None, Some(key.clone())),
    };
    Inbound {
        text,
        choice,
        in_reply_to: original.map(|letter| letter.reference.clone()),
        ..inbound(letter, "sandbox_bot", raw.to_string().into_bytes())
    }
}

fn message_number(reference: &str) -> Option<i64> {
    reference.rsplit(':').next()?.parse().ok()
}

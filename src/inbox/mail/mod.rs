//! Reading a mail: what it is, what its author wrote, whose message it answers, what it reports.
//!
//! Pure functions over bytes: nothing here touches a file, a clock or the network, no input makes
//! it panic, and its work grows with the size of the mail and no faster.
//!
//! The parts, in the order in which [`read`] uses them: `mime` (with `html`, `flowed`, `entities`, `rescue`)
//! makes lines of bytes; `complaint`, `bounce` (with `dsn`, `freeform`, `verdict`) and `auto`
//! classify; `reply` (with `line`, `attribution`, `block`, `signature`, `words`, `phrases`) takes off what was
//! quoted.
mod address;
mod attribution;
mod auto;
mod block;
mod bounce;
mod complaint;
mod dsn;
mod entities;
mod flowed;
mod fold;
mod freeform;
mod html;
mod language;
mod line;
mod mime;
mod phrases;
#[cfg(test)]
mod props;
mod reply;
mod rescue;
mod signature;
mod steps;
mod token;
mod verdict;
mod words;

use serde::Serialize;

pub(super) use fold::fold;
pub(super) use language::detect as language_of;
pub use reply::{Split, split_reply};

use mime::Mail;

/// What a mail is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Somebody wrote something.
    Reply,
    /// An answering machine, a receipt, a robot.
    AutoReply,
    /// A report that a message was not, or not yet, delivered.
    Bounce,
    /// A report that a message was unwelcome (RFC 5965).
    Complaint,
    /// A mailing list's or a newsletter's.
    List,
    /// One of our own messages come back.
    Loop,
    /// A person's mail without words or attachments of theirs.
    Empty,
    /// Not a mail, as far as can be seen.
    #[default]
    Unreadable,
}

/// The addresses of the SMTP conversation, where the mail came by one. An empty `from` is the null
/// return path.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    pub from: Option<String>,
    pub to: Option<String>,
}

/// Which of our addresses carried a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `r+…`: an answer.
    Reply,
    /// `b+…`: the return path, for reports.
    Bounce,
}

/// An opaque token; whether it is one of ours is for the caller to check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Token {
    pub kind: TokenKind,
    pub value: String,
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.value
    }
}

/// A part of the mail that is not its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// As the sender named it, without folders.
    pub name: Option<String>,
    /// As the sender declared it; not to be believed.
    pub media_type: String,
    /// Its size, decoded.
    pub bytes: u64,
}

/// What a report says was done (RFC 3464), or that a person complained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Failed,
    /// Delivery is still being tried.
    Delayed,
    Complaint,
}

/// What a report says of one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bounce {
    /// The address that we wrote to.
    pub recipient: String,
    /// RFC 3463, as reported or as the words of the report amount to.
    pub status: String,
    pub action: Action,
    /// Writing to this address again is useless or unwelcome: it is dead, or its owner complained.
    pub suppress: bool,
}

/// A mail, read. It serialises as `inspect mail --json` shows it; what is skipped there is for
/// the rooms that act on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MailRead {
    pub class: Class,
    /// What the author wrote.
    pub text: String,
    /// What was taken off: quotations, signatures, notices.
    pub quoted: String,
    /// BCP 47, of `text`.
    pub language: Option<&'static str>,
    /// The address in From. Never proof of anything.
    pub from: Option<String>,
    /// Without angle brackets, as all ids here.
    pub message_id: Option<String>,
    pub in_reply_to: Option<String>,
    pub token: Option<Token>,
    pub attachments: Vec<Attachment>,
    pub bounces: Vec<Bounce>,
    /// Why it was given its class.
    pub reason: String,
    /// Ids of References and of a message that a report carries.
    #[serde(skip)]
    pub references: Vec<String>,
    /// RFC 3339, as the sender's clock had it.
    #[serde(skip)]
    pub date: Option<String>,
    #[serde(skip)]
    pub subject: Option<String>,
    #[serde(skip)]
    pub may_acknowledge: bool,
    /// Why no acknowledgement may be sent; empty where one may.
    #[serde(skip)]
    pub acknowledge_why: &'static str,
}

/// Reads one mail as it came over the wire or out of a mailbox.
#[must_use]
pub fn read(raw: &[u8], envelope: &Envelope) -> MailRead {
    let Some(mail) = Mail::parse(raw) else {
        return MailRead {
            reason: "no mail header in it".to_owned(),
            acknowledge_why: "unreadable",
            ..MailRead::default()
        };
    };
    let split = split(&mail);
    let mut read = MailRead {
        language: language::detect(&split.text),
        from: mail.from(),
        message_id: mail.message_id(),
        in_reply_to: mail.in_reply_to().into_iter().next(),
        token: token::find(&mail, envelope),
        attachments: mail.attachments(),
        references: mail.references(),
        date: mail.date(),
        subject: mail.subject(),
        ..MailRead::default()
    };
    classify(&mut read, &mail, envelope, &split);
    read.text = split.text;
    read.quoted = split.quoted;
    let robot = !matches!(read.class, Class::Reply | Class::Empty);
    let why =
        auto::unanswerable(&mail, envelope).or_else(|| robot.then_some("not written by a person"));
    let why = why.or_else(|| read.from.is_none().then_some("no sender"));
    read.may_acknowledge = why.is_none();
    read.acknowledge_why = why.unwrap_or_default();
    read
}

fn split(mail: &Mail<'_>) -> Split {
    let body = mail.body();
    let lines: Vec<_> = body.iter().map(|(raw, hint)| line::Line::new(raw, *hint)).collect();
    let mut split = reply::split_lines(&lines);
    let passed_on = mail.subject().is_some_and(|subject| is_forward(&subject));
    if split.text.is_empty() && passed_on && !split.quoted.is_empty() {
        // Somebody who passes a mail on without a word means the mail.
        split.text = std::mem::take(&mut split.quoted);
        split.forwarded = true;
    }
    split
}

fn is_forward(subject: &str) -> bool {
    let folded = fold(subject);
    ["tr:", "tr :", "fw:", "fwd:", "wg:", "rv:", "enc:", "i:", "doorst:", "pd:"]
        .iter()
        .any(|prefix| folded.starts_with(prefix))
}

fn classify(read: &mut MailRead, mail: &Mail<'_>, envelope: &Envelope, split: &Split) {
    (read.class, read.reason) = if let Some((complaints, kind)) = complaint::read(mail) {
        read.bounces = complaints;
        trace(read, mail);
        (Class::Complaint, format!("a feedback report: {kind}"))
    } else if let Some(bounces) = bounce::read(mail, envelope) {
        let reason = bounce_reason(&bounces);
        read.bounces = bounces;
        trace(read, mail);
        (Class::Bounce, reason)
    } else if bounce::reports_success(mail) {
        trace(read, mail);
        (Class::AutoReply, "a report that the message was delivered or passed on".to_owned())
    } else if let Some(why) = auto::looped(mail, envelope) {
        (Class::Loop, why)
    } else if let Some(why) = auto::automatic(mail, &split.text) {
        (Class::AutoReply, why)
    } else if let Some(why) = auto::list(mail) {
        (Class::List, why)
    } else if split.text.is_empty() && read.attachments.is_empty() {
        let quoted = if split.quoted.is_empty() {
            "nothing in it"
        } else {
            "only quoted text or a signature in it"
        };
        (Class::Empty, quoted.to_owned())
    } else {
        (Class::Reply, said(split, read))
    };
}

fn said(split: &Split, read: &MailRead) -> String {
    let how = match (split.forwarded, split.interleaved) {
        (true, _) => "the author passes a message on",
        (_, true) => "the author answers between quoted lines",
        _ if split.text.is_empty() => "attachments without text",
        _ if split.quoted.is_empty() => "the author's text only",
        _ => "the author's text and what was taken off",
    };
    if read.token.is_some() { how.to_owned() } else { format!("{how}; no token") }
}

fn bounce_reason(bounces: &[Bounce]) -> String {
    let (mut failed, mut delayed, mut dead) = (0, 0, 0);
    for bounce in bounces {
        failed += usize::from(bounce.action == Action::Failed);
        delayed += usize::from(bounce.action == Action::Delayed);
        dead += usize::from(bounce.suppress);
    }
    format!("a delivery report: {failed} failed, {delayed} delayed, {dead} dead")
}

/// What a report carries of the original: its id and, where the report was sent elsewhere, our token.
fn trace(read: &mut MailRead, mail: &Mail<'_>) {
    for original in mail.embedded() {
        read.references.extend(original.message_id().map(str::to_owned));
        if read.token.is_none() {
            read.token = token::of_original(&String::from_utf8_lossy(original.raw_message()));
        }
    }
    for subtype in ["rfc822-headers", "global-headers"] {
        for part in mail.parts_of("text", subtype).chain(mail.parts_of("message", subtype)) {
            let text = String::from_utf8_lossy(part);
            let headers = dsn::blocks(part);
            let id = headers.iter().flatten().find(|(name, _)| name == "message-id");
            read.references.extend(id.map(|(_, id)| id.trim_matches(['<', '>', ' ']).to_owned()));
            if read.token.is_none() {
                read.token = token::of_original(&text);
            }
        }
    }
}

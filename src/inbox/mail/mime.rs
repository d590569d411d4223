//! A mail as its MIME parts: headers, the body's lines, attachments, reports.

use std::sync::LazyLock;

use mail_parser::{
    Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};

use super::line::Hint;
use super::{Attachment, flowed, html, rescue};

static PARSER: LazyLock<MessageParser> = LazyLock::new(MessageParser::default);

/// Messages in one another beyond which the rest is not taken apart: no correspondence has them,
/// and a tree without bound would exhaust the stack.
const MAX_NESTED: usize = 100;

pub(super) struct Mail<'a> {
    message: Message<'a>,
    headers: Vec<(String, String)>,
}

impl<'a> Mail<'a> {
    /// None where there is nothing that looks like a mail.
    pub(super) fn parse(raw: &'a [u8]) -> Option<Self> {
        super::steps::count(raw.len());
        let raw = shallow(without_mbox_line(raw));
        let message = PARSER.parse(raw)?;
        let headers: Vec<_> = message
            .headers()
            .iter()
            .map(|header| {
                let value = raw
                    .get(header.offset_start as usize..header.offset_end as usize)
                    .unwrap_or_default();
                (header.name.as_str().to_ascii_lowercase(), unfold(&String::from_utf8_lossy(value)))
            })
            .collect();
        let known = |name: &str| {
            matches!(
                name,
                "from"
                    | "to"
                    | "subject"
                    | "date"
                    | "received"
                    | "message-id"
                    | "return-path"
                    | "content-type"
                    | "mime-version"
                    | "sender"
                    | "delivered-to"
            )
        };
        headers.iter().any(|(name, _)| known(name)).then_some(Self { message, headers })
    }

    /// The first header of this (lower-case) name, unfolded, its encoded words as they stand.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// The subject, decoded.
    pub(super) fn subject(&self) -> Option<String> {
        self.message
            .subject()
            .map(|subject| subject.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|subject| !subject.is_empty())
    }

    /// The first address of From, or of Sender.
    pub(super) fn from(&self) -> Option<String> {
        let first = |address: Option<&Address<'_>>| {
            address?.iter().find_map(|addr| addr.address()).map(tidy)
        };
        first(self.message.from())
            .or_else(|| first(self.message.sender()))
            .filter(|address| !address.is_empty())
    }

    /// The name that the sender goes by, decoded.
    pub(super) fn sender_name(&self) -> Option<String> {
        self.message.from()?.iter().find_map(|addr| addr.name()).map(str::to_owned)
    }

    /// RFC 3339.
    pub(super) fn date(&self) -> Option<String> {
        self.message.date().filter(|date| date.is_valid()).map(mail_parser::DateTime::to_rfc3339)
    }

    pub(super) fn message_id(&self) -> Option<String> {
        self.message.message_id().map(tidy).filter(|id| !id.is_empty())
    }

    pub(super) fn in_reply_to(&self) -> Vec<String> {
        ids(self.message.in_reply_to())
    }

    pub(super) fn references(&self) -> Vec<String> {
        ids(self.message.references())
    }

    /// The type of the whole mail and a parameter of it, in lower case.
    pub(super) fn is_report(&self, report_type: &str) -> bool {
        self.message.content_type().is_some_and(|kind| {
            kind.ctype() == "multipart"
                && kind.subtype() == Some("report")
                && kind
                    .attribute("report-type")
                    .is_some_and(|of| of.eq_ignore_ascii_case(report_type))
        })
    }

    pub(super) fn is_multipart_report(&self) -> bool {
        self.message
            .content_type()
            .is_some_and(|kind| kind.ctype() == "multipart" && kind.subtype() == Some("report"))
    }

    /// The contents of every part of a type, decoded.
    pub(super) fn parts_of<'m>(
        &'m self,
        kind: &'m str,
        subtype: &'m str,
    ) -> impl Iterator<Item = &'m [u8]> {
        self.message
            .parts
            .iter()
            .filter(move |part| is_of(part, kind, subtype))
            .map(MessagePart::contents)
    }

    /// The same of the mails that this one carries.
    pub(super) fn embedded_parts_of<'m>(
        &'m self,
        kind: &'m str,
        subtype: &'m str,
    ) -> impl Iterator<Item = &'m [u8]> {
        self.embedded()
            .flat_map(|inner| &inner.parts)
            .filter(move |part| is_of(part, kind, subtype))
            .map(MessagePart::contents)
    }

    /// Mails that this one carries whole.
    pub(super) fn embedded(&self) -> impl Iterator<Item = &Message<'a>> {
        self.message.parts.iter().filter_map(MessagePart::message)
    }

    /// Every text part one after the other, whatever its role: what a report says to people.
    pub(super) fn all_text(&self) -> String {
        let mut all = String::new();
        for part in &self.message.parts {
            let said = part.content_type().is_none_or(|kind| {
                kind.ctype() != "text" || matches!(kind.subtype(), Some("plain" | "html") | None)
            });
            match &part.body {
                _ if !said => continue,
                PartType::Text(text) => all.push_str(&self.text_of(part, text)),
                PartType::Html(text) => {
                    push_lines(&mut all, &html::to_lines(&self.text_of(part, text)));
                }
                _ => continue,
            }
            all.push('\n');
        }
        all
    }

    /// The body as lines: plain text where there is some, HTML otherwise, and what can be saved of a
    /// damaged part where there is neither.
    pub(super) fn body(&self) -> Vec<(String, Hint)> {
        let empty = |lines: &[(String, Hint)]| lines.iter().all(|(line, _)| line.trim().is_empty());
        let plain = self.lines(self.message.text_bodies());
        if !empty(&plain) && !stands_in(&plain) {
            return plain;
        }
        let rich = self.lines(self.message.html_bodies());
        if !empty(&rich) {
            return rich;
        }
        let damaged = self.lines(self.message.parts.iter().filter(|part| is_damaged(part)).take(1));
        if empty(&damaged) { plain } else { damaged }
    }

    fn lines<'m>(&self, parts: impl Iterator<Item = &'m MessagePart<'m>>) -> Vec<(String, Hint)> {
        let mut lines = Vec::new();
        for part in parts {
            let (PartType::Text(parsed) | PartType::Html(parsed)) = &part.body else { continue };
            let text = self.text_of(part, parsed);
            if part.is_text_html() || is_of(part, "text", "html") {
                lines.extend(html::to_lines(&text));
            } else {
                let text = plain(part, text);
                lines.extend(text.split('\n').map(|line| (line.to_owned(), Hint::None)));
            }
        }
        lines
    }

    fn text_of(&self, part: &MessagePart<'_>, parsed: &str) -> String {
        let raw = &self.message.raw_message;
        let raw = raw.get(part.offset_body as usize..part.offset_end as usize);
        rescue::text(part, parsed, raw.unwrap_or_default())
    }

    pub(super) fn attachments(&self) -> Vec<Attachment> {
        let reports = |part: &MessagePart<'_>| {
            [
                "delivery-status",
                "disposition-notification",
                "feedback-report",
                "global-delivery-status",
            ]
            .iter()
            .any(|subtype| is_of(part, "message", subtype))
        };
        self.message
            .attachments()
            .filter(|part| !part.is_multipart() && !is_damaged(part) && !reports(part))
            .map(attachment)
            .collect()
    }
}

/// Text whose encoding the parser could make nothing of, which made it put the part aside.
fn is_damaged(part: &MessagePart<'_>) -> bool {
    let text = is_of(part, "text", "plain") || is_of(part, "text", "html");
    part.is_encoding_problem && text && part.attachment_name().is_none()
}

/// Line ends made one, flowed lines joined.
fn plain(part: &MessagePart<'_>, text: String) -> String {
    let text =
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text };
    let says = |name: &str, value: &str| {
        let kind = part.content_type();
        kind.and_then(|kind| kind.attribute(name)).is_some_and(|of| of.eq_ignore_ascii_case(value))
    };
    if says("format", "flowed") { flowed::unwrap(&text, says("delsp", "yes")) } else { text }
}

fn is_of(part: &MessagePart<'_>, kind: &str, subtype: &str) -> bool {
    part.content_type().is_some_and(|of| {
        of.ctype().eq_ignore_ascii_case(kind)
            && of.subtype().is_some_and(|sub| sub.eq_ignore_ascii_case(subtype))
    })
}

fn attachment(part: &MessagePart<'_>) -> Attachment {
    let media_type = part.content_type().map_or_else(
        || {
            if part.is_message() {
                "message/rfc822".to_owned()
            } else {
                "application/octet-stream".to_owned()
            }
        },
        |kind| {
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream"))
                .to_ascii_lowercase()
        },
    );
    let name = part
        .attachment_name()
        .map(str::to_owned)
        .or_else(|| {
            part.message().and_then(|inner| inner.subject()).map(|subject| format!("{subject}.eml"))
        })
        .map(|name| {
            name.rsplit(['/', '\\'])
                .next()
                .unwrap_or_default()
                .chars()
                .filter(|c| !c.is_control())
                .collect::<String>()
        })
        .filter(|name| !name.is_empty());
    let bytes =
        part.message().map_or_else(|| part.contents().len(), |inner| inner.raw_message().len());
    Attachment { name, media_type, bytes: bytes as u64 }
}

/// A plain part that only says that the mail is in HTML.
fn stands_in(lines: &[(String, Hint)]) -> bool {
    let mut filled = lines.iter().map(|(line, _)| line.trim()).filter(|line| !line.is_empty());
    let Some(first) = filled.next() else { return true };
    let text = super::fold::fold(first);
    let words =
        ["client", "viewer", "support", "version", "view", "logiciel", "messagerie", "format"];
    filled.next().is_none() && text.contains("html") && words.iter().any(|word| text.contains(word))
}

fn push_lines(text: &mut String, lines: &[(String, Hint)]) {
    for (line, _) in lines {
        text.push_str(line);
        text.push('\n');
    }
}

pub(super) fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(id) => vec![tidy(id)],
        HeaderValue::TextList(ids) => ids.iter().map(|id| tidy(id)).collect(),
        _ => Vec::new(),
    }
}

fn tidy(text: &str) -> String {
    text.trim().trim_matches(['<', '>']).trim().to_owned()
}

pub(super) fn unfold(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A mailbox's `From ` line, and what editors and shells leave before it.
fn without_mbox_line(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let blank = raw.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let raw = &raw[blank..];
    if raw.starts_with(b"From ") || raw.starts_with(b">From ") {
        let end = raw.iter().position(|b| *b == b'\n').map_or(raw.len(), |at| at + 1);
        return &raw[end..];
    }
    raw
}

/// The mail up to a depth of nesting that can be taken apart safely.
fn shallow(raw: &[u8]) -> &[u8] {
    let mut found = 0;
    for (at, window) in raw.windows(8).enumerate() {
        let nested =
            window.eq_ignore_ascii_case(b"message/") || window.eq_ignore_ascii_case(b"/digest;");
        if nested {
            found += 1;
            if found > MAX_NESTED {
                return &raw[..at];
            }
        }
    }
    raw
}

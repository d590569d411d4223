//! The bytes of a mail: RFC 5322 fields, RFC 2047 words, quoted-printable parts. Everything is
//! seven-bit, so no relay has to convert and break the DKIM signature.

use mail_parser::DateTime;

use crate::content::EmailContent;

const HEX: &[u8; 16] = b"0123456789ABCDEF";
/// RFC 2045: an encoded line holds at most 76 characters, the soft break included.
const LINE: usize = 76;

/// Builds the message; `now_ms` (epoch milliseconds) becomes its Date.
#[must_use]
pub(crate) fn build(content: &EmailContent, now_ms: i64) -> String {
    let mut out =
        String::with_capacity(2048 + content.html.len() * 5 / 4 + content.text.len() * 5 / 4);
    mailbox(&mut out, "From", &content.from);
    mailbox(&mut out, "To", &content.to);
    mailbox(&mut out, "Reply-To", &content.reply_to);
    unstructured(&mut out, "Subject", &content.subject);
    field(&mut out, "Date", &DateTime::from_timestamp(now_ms.div_euclid(1000)).to_rfc822());
    field(&mut out, "Message-ID", &content.message_id);
    for (name, value) in &content.headers {
        if name == "List-Id" {
            mailbox(&mut out, name, value);
        } else {
            field(&mut out, name, value);
        }
    }
    field(&mut out, "MIME-Version", "1.0");
    // "=_" can't occur in quoted-printable text, so no part can contain the boundary.
    let boundary = format!("=_portevoix_{}", boundary_tail(&content.message_id));
    out.push_str("Content-Type: multipart/alternative;\r\n\tboundary=\"");
    out.push_str(&boundary);
    out.push_str("\"\r\n\r\n");
    for (kind, body) in [("plain", &content.text), ("html", &content.html)] {
        out.push_str("--");
        out.push_str(&boundary);
        out.push_str("\r\nContent-Type: text/");
        out.push_str(kind);
        out.push_str("; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
        quoted_printable(&mut out, body);
        out.push_str("\r\n");
    }
    out.push_str("--");
    out.push_str(&boundary);
    out.push_str("--\r\n");
    out
}

fn boundary_tail(message_id: &str) -> String {
    message_id
        .split('@')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(48)
        .collect()
}

/// Control characters (CR and LF above all) become spaces, runs of white space one space.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let blank = c.is_control() || c == ' ' || matches!(c, '\u{2028}' | '\u{2029}');
        if !blank {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A structured field: ASCII, folded at spaces.
fn field(out: &mut String, name: &str, value: &str) {
    let start = out.len();
    out.push_str(name);
    out.push(':');
    let mut column = out.len() - start;
    let line = one_line(value);
    for word in line.split(' ') {
        if column > name.len() + 1 && column + 1 + word.len() > LINE {
            out.push_str("\r\n");
            column = 0;
        }
        out.push(' ');
        out.extend(word.chars().map(|c| if c.is_ascii() { c } else { '?' }));
        column += 1 + word.len();
    }
    out.push_str("\r\n");
}

/// Free text: as it is where it is ASCII, in RFC 2047 words otherwise.
fn unstructured(out: &mut String, name: &str, value: &str) {
    let line = one_line(value);
    if line.is_ascii() && !line.contains("=?") {
        field(out, name, &line);
    } else {
        out.push_str(name);
        out.push(':');
        encoded_words(out, &line, name.len() + 1);
        out.push_str("\r\n");
    }
}

/// `Name <address>` or a bare address; the name is quoted or encoded as it needs.
fn mailbox(out: &mut String, name: &str, value: &str) {
    let line = one_line(value);
    let Some((words, address)) = line.rsplit_once('<') else {
        raw_mailbox(out, name, &line);
        return;
    };
    let words = words.trim();
    let address = address.trim_end_matches('>');
    out.push_str(name);
    out.push(':');
    if words.is_empty() {
    } else if words.is_ascii() && !words.contains("=?") {
        out.push_str(" \"");
        for c in words.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    } else {
        encoded_words(out, words, name.len() + 1);
    }
    out.push_str("\r\n <");
    out.push_str(address);
    out.push_str(">\r\n");
}

/// An address may be international (RFC 6532): it is not encoded.
fn raw_mailbox(out: &mut String, name: &str, address: &str) {
    out.push_str(name);
    out.push_str(": ");
    out.push_str(address);
    out.push_str("\r\n");
}

/// RFC 2047 "Q" words of at most 75 characters, never cut inside a character.
fn encoded_words(out: &mut String, text: &str, used: usize) {
    const OPEN: &str = " =?utf-8?Q?";
    let mut column = used + OPEN.len();
    out.push_str(OPEN);
    for c in text.chars() {
        let mut utf8 = [0; 4];
        let bytes = c.encode_utf8(&mut utf8).as_bytes();
        let literal =
            bytes.len() == 1 && (bytes[0].is_ascii_alphanumeric() || b"!*+-/".contains(&bytes[0]));
        let width = if literal || c == ' ' { 1 } else { bytes.len() * 3 };
        if column + width + 2 > LINE {
            out.push_str("?=\r\n");
            out.push_str(OPEN);
            column = OPEN.len();
        }
        if c == ' ' {
            out.push('_');
        } else if literal {
            out.push(c);
        } else {
            bytes.iter().for_each(|byte| hex(out, *byte));
        }
        column += width;
    }
    out.push_str("?=");
}

fn hex(out: &mut String, byte: u8) {
    out.push('=');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

/// RFC 2045 section 6.7, line by line, so that runs of plain characters are copied whole.
fn quoted_printable(out: &mut String, text: &str) {
    for (position, line) in text.split('\n').enumerate() {
        if position > 0 {
            out.push_str("\r\n");
        }
        quoted_line(out, line.strip_suffix('\r').unwrap_or(line));
    }
}

fn quoted_line(out: &mut String, line: &str) {
    let bytes = line.as_bytes();
    let mut column = 0;
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..]
            .iter()
            .position(|byte| !matches!(byte, b' '..=b'<' | b'>'..=b'~' | b'\t'))
            .unwrap_or(bytes.len() - at);
        let end = at + run;
        while at < end {
            // One column is kept for the soft break's `=`.
            let room = LINE - 1 - column;
            let take = room.min(end - at);
            out.push_str(&line[at..at + take]);
            at += take;
            column += take;
            if at < bytes.len() && column + 3 >= LINE {
                out.push_str("=\r\n");
                column = 0;
            }
        }
        if at < bytes.len() {
            if column + 3 > LINE - 1 {
                out.push_str("=\r\n");
                column = 0;
            }
            hex(out, bytes[at]);
            column += 3;
            at += 1;
            if at < bytes.len() && column + 3 >= LINE {
                out.push_str("=\r\n");
                column = 0;
            }
        }
    }
    // A line may not end in white space: a relay could take it off.
    if let Some(last @ (b' ' | b'\t')) = bytes.last().copied() {
        out.pop();
        if column + 2 > LINE {
            out.push_str("=\r\n");
        }
        hex(out, last);
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn content(name: &str, subject: &str, text: &str, html: &str) -> EmailContent {
        let name = one_line(name).replace(['<', '>', '"'], "");
        EmailContent {
            from: format!("{name} <a@mel.example>"),
            to: "b@exemple.fr".to_owned(),
            reply_to: "r+t@mel.example".to_owned(),
            envelope_from: "b+t@mel.example".to_owned(),
            subject: subject.to_owned(),
            html: html.to_owned(),
            text: text.to_owned(),
            message_id: "<t@mel.example>".to_owned(),
            headers: vec![("X-Words".to_owned(), subject.to_owned())],
        }
    }

    proptest! {
        /// Whatever the words, an independent parser reads the same back, and only the fields
        /// that are ours are there.
        #[test]
        fn any_words_survive_and_none_becomes_a_field(
            name in "\\PC{0,40}",
            subject in any::<String>(),
            text in "(\\PC{0,120}[ \t]{0,2}\n){0,6}",
            html in any::<String>(),
        ) {
            let mail = build(&content(&name, &subject, &text, &html), 0);
            prop_assert!(mail.is_ascii());
            let (head, body) = mail.split_once("\r\n\r\n").unwrap();
            prop_assert!(!head.replace("\r\n", "").contains(['\r', '\n']));
            prop_assert!(body.split("\r\n").all(|line| line.len() <= LINE && !line.contains(['\r', '\n'])));
            let fields: Vec<&str> = head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .filter_map(|line| line.split(':').next())
                .collect();
            prop_assert_eq!(fields, [
                "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "X-Words",
                "MIME-Version", "Content-Type",
            ]);
            let parsed = MessageParser::default().parse(mail.as_bytes()).unwrap();
            prop_assert_eq!(parsed.subject().unwrap_or_default(), one_line(&subject));
            prop_assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), text);
            let from = parsed.from().and_then(|from| from.first()).unwrap();
            prop_assert_eq!(from.address(), Some("a@mel.example"));
            prop_assert_eq!(parsed.body_html(0).unwrap().replace("\r\n", "\n"), html.replace("\r\n", "\n"));
        }
    }
}

//! What is kept of a mail that came in, and how a second copy of it is known.

use portevoix_contract::Inbound;
use ring::digest::{Context, SHA256};

use crate::mime::one_line;

/// `sender` and `recipient` are the envelope's; `mail` is RFC 5322 as it came.
pub(super) fn inbound(sender: &str, recipient: &str, mail: &[u8], now_ms: i64) -> Inbound {
    let (head, body) = split(mail);
    let mut raw = Vec::with_capacity(mail.len() + sender.len() + 20);
    if field(head, "return-path").is_none() {
        // The last server writes it (RFC 5321 section 4.4); for LMTP that is us.
        raw.extend_from_slice(format!("Return-Path: <{}>\r\n", one_line(sender)).as_bytes());
    }
    raw.extend_from_slice(mail);
    Inbound {
        channel: "email".to_owned(),
        provider_id: fingerprint(recipient, head, body),
        from: sender.to_owned(),
        to: recipient.to_owned(),
        text: None,
        choice: None,
        in_reply_to: None,
        reference: field(head, "message-id"),
        edited: false,
        raw,
        received_at_ms: now_ms,
    }
}

/// Headers and body; the blank line belongs to neither.
fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            return (&mail[..at], &mail[at + line.len()..]);
        }
        at += line.len();
    }
    (mail, b"")
}

/// The first field of that lower-case name, unfolded, one line.
fn field(head: &[u8], name: &str) -> Option<String> {
    let mut found: Option<Vec<u8>> = None;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if let Some(value) = &mut found {
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                break;
            }
            value.extend_from_slice(line);
        } else if line.len() > name.len()
            && line[name.len()] == b':'
            && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        {
            found = Some(line[name.len() + 1..].to_vec());
        }
    }
    found.map(|value| one_line(&String::from_utf8_lossy(&value)))
}

/// SHA-256 over recipient, Message-ID and body, in hex: trace fields, which differ from one
/// delivery of the same mail to the next, don't count. A mail without Message-ID is told apart
/// by what its author's program wrote instead.
fn fingerprint(recipient: &str, head: &[u8], body: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    let mut add = |part: &[u8]| {
        // The length first, so that no two lists of parts look alike.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    };
    add(recipient.to_ascii_lowercase().as_bytes());
    match field(head, "message-id") {
        Some(id) => add(id.as_bytes()),
        None => {
            for name in ["from", "date", "subject"] {
                add(field(head, name).unwrap_or_default().as_bytes());
            }
        }
    }
    add(body);
    let digest = context.finish();
    digest.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        for digit in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(mail: &str) -> String {
        inbound("a@b.fr", "r+x@d.fr", mail.as_bytes(), 0).provider_id
    }

    #[test]
    fn a_copy_by_another_way_is_the_same_mail() {
        let one = id("Received: by a\r\nMessage-ID: <1@x>\r\n\r\noui\r\n");
        let two = id("Received: by b\r\nX-Spam: no\r\nmessage-id:\r\n <1@x>\r\n\r\noui\r\n");
        assert_eq!(one, two);
        assert_eq!(one.len(), 64);
        assert_ne!(one, id("Message-ID: <1@x>\r\n\r\nnon\r\n"));
        assert_ne!(one, id("Message-ID: <2@x>\r\n\r\noui\r\n"));
        let other = inbound("a@b.fr", "r+y@d.fr", b"Message-ID: <1@x>\r\n\r\noui\r\n", 0);
        assert_ne!(one, other.provider_id);
        assert_ne!(id("Date: 1\r\n\r\noui"), id("Date: 2\r\n\r\noui"));
    }

    #[test]
    fn the_envelope_sender_is_written_once() {
        let raw = |mail: &[u8]| String::from_utf8(inbound("", "r@d", mail, 0).raw).unwrap();
        assert_eq!(raw(b"Subject: x\r\n\r\ny"), "Return-Path: <>\r\nSubject: x\r\n\r\ny");
        assert_eq!(raw(b"Return-path: <z>\r\n\r\ny"), "Return-path: <z>\r\n\r\ny");
        assert_eq!(raw(b""), "Return-Path: <>\r\n");
    }
}

//! The token in the address that a mail was sent to: `r+<token>@…` for answers, `b+<token>@…` for
//! reports (RFC 5233 detail). It says which message of ours is meant; From never does.

use super::mime::Mail;
use super::{Envelope, Token, TokenKind, address};

/// Headers by which servers say whom a mail was really for, before those that its author wrote.
const HEADERS: &[&str] = &[
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-rcpt-to",
    "to",
    "cc",
    "resent-to",
];

/// The first token of the envelope, else of the headers.
pub(super) fn find(mail: &Mail<'_>, envelope: &Envelope) -> Option<Token> {
    envelope.to.as_deref().and_then(of_address).or_else(|| {
        HEADERS
            .iter()
            .flat_map(|name| mail.all(name))
            .flat_map(address::all)
            .find_map(|address| of_address(&address))
    })
}

/// The token of the message that a report carries: its own addresses were ours.
pub(super) fn of_original(text: &str) -> Option<Token> {
    text.lines()
        .take(200)
        .filter(|line| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            matches!(
                name.trim(),
                "return-path"
                    | "reply-to"
                    | "from"
                    | "sender"
                    | "x-envelope-from"
                    | "list-unsubscribe"
                    | "original-mail-from"
                    | "x-mail-from"
            )
        })
        .flat_map(address::all)
        .find_map(|address| of_address(&address))
}

fn of_address(address: &str) -> Option<Token> {
    let address = address.trim().trim_matches(['<', '>']);
    let (local, _) = address.rsplit_once('@')?;
    let (kind, value) = local.split_once('+')?;
    let kind = match kind {
        "r" | "R" => TokenKind::Reply,
        "b" | "B" => TokenKind::Bounce,
        _ => return None,
    };
    let sound = (1..=128).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=' | b'~'));
    sound.then(|| Token { kind, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_two_kinds_carry_a_token() {
        let token = |address| of_address(address).map(|token| (token.kind, token.value));
        assert_eq!(
            token("r+Ab-9_x@in.lille.example"),
            Some((TokenKind::Reply, "Ab-9_x".to_owned()))
        );
        assert_eq!(token("<b+42@in.lille.example>"), Some((TokenKind::Bounce, "42".to_owned())));
        for other in ["bounce+42@x.fr", "r@x.fr", "r+@x.fr", "r+a b@x.fr", "r+a'b@x.fr"] {
            assert_eq!(token(other), None, "{other}");
        }
    }
}

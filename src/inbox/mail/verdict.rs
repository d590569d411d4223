//! What a delivery failure means for the address: is it dead, or was it something else.
//!
//! Status codes (RFC 3463) say it where servers use them as they are meant. Many do not (`5.1.1`
//! for a full mailbox, `5.7.1` for anything), so the words of the diagnostic come first where
//! they are plain, and the codes where they are not.

use super::fold::{fold, head};
use super::phrases::Table;

const FILE: &str = include_str!("phrases/diagnostics.txt");

/// Why a message was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// No such mailbox, moved, or closed.
    DeadAddress,
    /// No such domain, or one that takes no mail.
    DeadHost,
    Full,
    Size,
    /// Refused for what was sent or who sent it: ours to put right.
    Policy,
    /// Something was wrong on the way.
    Transport,
    Unknown,
}

impl Cause {
    pub(super) fn dead(self) -> bool {
        matches!(self, Self::DeadAddress | Self::DeadHost)
    }

    /// The status that a server would have given.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::DeadAddress => "5.1.1",
            Self::DeadHost => "5.1.2",
            Self::Full => "5.2.2",
            Self::Size => "5.3.4",
            Self::Policy => "5.7.1",
            Self::Transport => "5.4.0",
            Self::Unknown => "5.0.0",
        }
    }
}

/// Weighs a status and the words around it.
pub(super) fn cause(status: Option<&str>, words: &str) -> Cause {
    let folded = fold_all(words);
    let says = |table: &Table| table.within(&folded).is_some();
    let mentions = |phrases: &[&str]| phrases.iter().any(|phrase| folded.contains(phrase));
    let of = |prefix: &str| status.is_some_and(|status| status.starts_with(prefix));
    if of("5.7.") {
        return Cause::Policy;
    }
    if says(&FULL) || of("5.2.2") || of("4.2.2") {
        return Cause::Full;
    }
    if says(&SENDER) || of("5.1.7") || of("5.1.8") {
        return Cause::Policy;
    }
    if says(&UNKNOWN_USER)
        || (mentions(&["doesn't have a", "does not have a"]) && mentions(&["account"]))
    {
        return Cause::DeadAddress;
    }
    if says(&UNKNOWN_HOST) {
        return Cause::DeadHost;
    }
    // Exchange Online says this of a recipient that its directory does not hold.
    if mentions(&["recipient address rejected: access denied"])
        && (of("5.4.1") || mentions(&["5.4.1"]))
    {
        return Cause::DeadAddress;
    }
    if says(&POLICY) {
        return Cause::Policy;
    }
    if says(&SIZE) || of("5.3.4") || of("5.2.3") {
        return Cause::Size;
    }
    by_status(status)
        .unwrap_or_else(|| if says(&UNAVAILABLE) { Cause::DeadAddress } else { Cause::Unknown })
}

fn by_status(status: Option<&str>) -> Option<Cause> {
    let mut parts = status?.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    if class != "5" {
        return Some(Cause::Transport);
    }
    Some(match (subject, detail) {
        ("1", "1" | "3" | "6") | ("2", "1") => Cause::DeadAddress,
        ("1", "2" | "10") => Cause::DeadHost,
        ("4", _) => Cause::Transport,
        ("3", _) => Cause::Transport,
        ("7", _) => Cause::Policy,
        _ => return None,
    })
}

/// Folded, line by line, for [`fold`] only glances at one; bounded for the sake of long diagnostics.
fn fold_all(words: &str) -> String {
    let mut all = String::new();
    for line in head(words, 16_000).lines() {
        all.push_str(&fold(line));
        all.push(' ');
    }
    // Multi-line SMTP replies repeat their code in the middle of sentences.
    all.replace("550-", " ").replace("554-", " ").replace("  ", " ")
}

/// The status in a text: `5.1.1`, else one for the SMTP code.
pub(super) fn status_in(text: &str) -> Option<String> {
    enhanced(text).or_else(|| smtp_code(text).map(|code| format!("{}.0.0", &code[..1])))
}

/// An enhanced status code that stands alone, not one in an address or a version.
fn enhanced(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for at in 0..bytes.len() {
        let alone = at == 0
            || matches!(
                bytes[at - 1],
                b' ' | b'#' | b'(' | b'-' | b':' | b'\n' | b'\t' | b'<' | b'[' | b'"' | b'='
            );
        if !alone || !matches!(bytes[at], b'4' | b'5') || bytes.get(at + 1) != Some(&b'.') {
            continue;
        }
        let digits = |from: usize| {
            bytes[from.min(bytes.len())..].iter().take(4).take_while(|b| b.is_ascii_digit()).count()
        };
        let subject = digits(at + 2);
        let dot = at + 2 + subject;
        let detail = if bytes.get(dot) == Some(&b'.') { digits(dot + 1) } else { 0 };
        let end = dot + 1 + detail;
        let clean = bytes.get(end).is_none_or(|b| {
            !b.is_ascii_alphanumeric()
                && (*b != b'.' || !bytes.get(end + 1).is_some_and(u8::is_ascii_digit))
        });
        if (1..=3).contains(&subject) && (1..=3).contains(&detail) && clean {
            return text.get(at..end).map(str::to_owned);
        }
    }
    None
}

fn smtp_code(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(2)).find_map(|at| {
        let alone =
            at == 0 || matches!(bytes[at - 1], b' ' | b'\n' | b'\t' | b'>' | b':' | b'(' | b'"');
        let code = bytes.get(at..at + 3)?;
        let class = matches!(code[0], b'4' | b'5')
            && matches!(code[1], b'0' | b'2' | b'3' | b'4' | b'5' | b'7')
            && code[2].is_ascii_digit();
        let after = bytes.get(at + 3).is_none_or(|b| matches!(b, b' ' | b'-' | b'\n' | b'\r'));
        (alone && class && after).then(|| text.get(at..at + 3)).flatten()
    })
}

static FULL: Table = Table::new(FILE, "full");

static SENDER: Table = Table::new(FILE, "sender");

static UNKNOWN_USER: Table = Table::new(FILE, "unknown_user");

static UNKNOWN_HOST: Table = Table::new(FILE, "unknown_host");

static POLICY: Table = Table::new(FILE, "policy");

static SIZE: Table = Table::new(FILE, "size");

/// What a plain 550 says, of a mailbox that is not there more often than not.
static UNAVAILABLE: Table = Table::new(FILE, "unavailable");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_come_before_a_misused_code() {
        for (status, words, expected) in [
            (
                "5.1.1",
                "550 5.1.1 <x@y.fr>: Recipient address rejected: User unknown in virtual mailbox table",
                Cause::DeadAddress,
            ),
            (
                "5.1.1",
                "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417",
                Cause::Full,
            ),
            (
                "5.2.1",
                "550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents",
                Cause::Policy,
            ),
            (
                "5.2.1",
                "550-5.2.1 The email account that you tried to reach is disabled.",
                Cause::DeadAddress,
            ),
            ("5.7.1", "550 5.7.1 Recipient not found", Cause::Policy),
            (
                "5.4.1",
                "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
                Cause::DeadAddress,
            ),
            (
                "5.4.4",
                "Host or domain name not found. Name service error for name=nulle.invalid type=A: Host not found",
                Cause::DeadHost,
            ),
            ("5.1.8", "553 5.1.8 Domain of sender address does not exist", Cause::Policy),
            ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", Cause::Size),
            (
                "5.0.0",
                "554 delivery error: dd This user doesn't have a yahoo.com account",
                Cause::DeadAddress,
            ),
            ("5.1.6", "551 moved", Cause::DeadAddress),
            ("4.4.7", "delivery time expired", Cause::Transport),
            ("5.0.0", "", Cause::Unknown),
        ] {
            assert_eq!(cause(Some(status), words), expected, "{words}");
        }
    }

    #[test]
    fn codes_are_found_and_versions_are_not() {
        assert_eq!(status_in("smtp; 550 5.1.1 <x@y>").as_deref(), Some("5.1.1"));
        assert_eq!(
            status_in("Sorry, no mailbox here by that name. (#5.1.1)").as_deref(),
            Some("5.1.1")
        );
        assert_eq!(status_in("host a[10.5.1.1] said: 452 try later").as_deref(), Some("4.0.0"));
        assert_eq!(status_in("Exchange 5.5.2653.13 of 550 rooms").as_deref(), Some("5.0.0"));
        assert_eq!(status_in("rien"), None);
    }
}

//! What a server's answer means for the mail, by RFC 5321 replies and RFC 3463 status codes.

use std::time::Duration;

use lettre::transport::smtp::{Error, response::Severity};
use portevoix_contract::{Fault, Outcome};

/// Why one mail was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Later(String),
    Refused(Fault, String),
    /// The server wants us as a whole to wait.
    SlowDown(Duration, String),
}

/// After a 421 or "system not accepting" (4.3.2).
pub(super) const PAUSE_BUSY: Duration = Duration::from_secs(20);
/// After a refusal of ourselves before any mail was named: login, certificate, policy. Only an
/// operator can help, so the queue waits and no mail is lost.
pub(super) const PAUSE_REFUSED: Duration = Duration::from_secs(60);

impl Failure {
    /// `now_ms`: epoch milliseconds. None: slowing down becomes "later".
    pub(crate) fn into_outcome(self, now_ms: Option<i64>) -> Outcome {
        match (self, now_ms) {
            (Self::Later(why) | Self::SlowDown(_, why), None) | (Self::Later(why), _) => {
                Outcome::Later { not_before_ms: None, why }
            }
            (Self::Refused(fault, why), _) => Outcome::Refused { fault, why },
            (Self::SlowDown(pause, why), Some(now_ms)) => {
                let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                Outcome::SlowDown { until_ms: now_ms.saturating_add(pause), why }
            }
        }
    }
}

/// At what the server said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Greeting, EHLO, STARTTLS, AUTH: nothing about a mail has been said.
    Opening,
    Sender,
    Recipient,
    /// DATA, or the answer after the final dot.
    Content,
}

/// A reply that was not positive, or a connection that broke.
pub(super) fn failure(stage: Stage, error: &Error) -> Failure {
    let Some(code) = error.status() else {
        return Failure::Later(text_of(error));
    };
    let why = text_of(error);
    let status = enhanced_status(&why);
    let number: u16 = code.into();
    let transient = code.severity == Severity::TransientNegativeCompletion;
    if number == 421 || (transient && status == Some((4, 3, 2))) {
        return Failure::SlowDown(PAUSE_BUSY, why);
    }
    match (stage, transient) {
        (Stage::Opening, true) => Failure::Later(why),
        (Stage::Opening, false) => Failure::SlowDown(PAUSE_REFUSED, why),
        (_, true) => Failure::Later(why),
        (_, false) => permanent(stage, number, status, why),
    }
}

fn permanent(stage: Stage, code: u16, status: Option<(u8, u16, u16)>, why: String) -> Failure {
    let fault = match status {
        // The sender's address is at fault, or its domain: ours.
        Some((_, 1, 7 | 8)) => Fault::Us,
        // A mailbox that is full or switched off for a while is not a dead address.
        Some((_, 2, 2)) => return Failure::Later(why),
        Some((_, 1, _) | (_, 2, 0 | 1)) => Fault::Address,
        Some((_, 2, _)) => Fault::Message,
        Some((_, 3, 4) | (_, 6, _)) => Fault::Message,
        Some((_, 4, _)) => Fault::Address,
        // 5.3.x: the system can't; 5.5.x: our protocol; 5.7.x: policy and our reputation.
        Some((_, 3 | 5 | 7, _)) => Fault::Us,
        _ => match (stage, code) {
            (Stage::Recipient, 550 | 551 | 553) => Fault::Address,
            // RFC 5321: "requested mail action aborted: exceeded storage allocation".
            (Stage::Recipient, 552) => return Failure::Later(why),
            (Stage::Content, 552 | 554) => Fault::Message,
            _ => Fault::Us,
        },
    };
    Failure::Refused(fault, why)
}

/// The first `class.subject.detail` of the server's own words (RFC 2034), if it has one.
fn enhanced_status(text: &str) -> Option<(u8, u16, u16)> {
    text.split(|c: char| c.is_whitespace() || c == '(' || c == ')' || c == ':').find_map(|word| {
        let mut parts = word.trim_start_matches('#').splitn(3, '.');
        let class: u8 = parts.next()?.parse().ok()?;
        let subject: u16 = parts.next()?.parse().ok()?;
        let detail: u16 = parts.next()?.parse().ok()?;
        (matches!(class, 2 | 4 | 5) && subject < 1000 && detail < 1000)
            .then_some((class, subject, detail))
    })
}

/// One line, at most 300 characters, addresses masked: a server likes to repeat the recipient, and
/// this text ends in logs and on pages for staff.
fn text_of(error: &Error) -> String {
    let text = error.to_string();
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| match word.split_once('@') {
            Some((local, _)) if local.starts_with('<') => "<…>".to_owned(),
            Some(_) => "…".to_owned(),
            None => word.to_owned(),
        })
        .collect();
    words.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(stage: Stage, code: u16, text: &str) -> Failure {
        permanent(stage, code, enhanced_status(text), String::new())
    }

    #[test]
    fn refusals_name_whose_fault_it_is() {
        use Fault::{Address, Message, Us};
        let table = [
            (Stage::Recipient, 550, "550 5.1.1 User unknown", Address),
            (Stage::Recipient, 550, "5.1.2 bad destination system", Address),
            (Stage::Recipient, 550, "no such user here", Address),
            (Stage::Recipient, 550, "5.2.1 mailbox disabled", Address),
            (Stage::Recipient, 554, "relay access denied", Us),
            (Stage::Recipient, 550, "5.7.1 blocked by policy", Us),
            (Stage::Sender, 550, "5.1.8 bad sender domain", Us),
            (Stage::Sender, 553, "sender refused", Us),
            (Stage::Sender, 552, "5.3.4 message too big", Message),
            (Stage::Content, 554, "5.6.0 not conforming", Message),
            (Stage::Content, 554, "looks like spam", Message),
            (Stage::Content, 550, "5.7.26 unauthenticated", Us),
        ];
        for (stage, code, text, fault) in table {
            assert_eq!(
                refused(stage, code, text),
                Failure::Refused(fault, String::new()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_full_mailbox_is_tried_again() {
        for (stage, code, text) in
            [(Stage::Recipient, 552, "5.2.2 mailbox full"), (Stage::Recipient, 552, "quota")]
        {
            assert!(matches!(refused(stage, code, text), Failure::Later(_)), "{text}");
        }
    }

    #[test]
    fn a_version_number_is_no_status() {
        assert_eq!(enhanced_status("running 10.2.1 since 2.0"), None);
        assert_eq!(enhanced_status("(#5.1.1)"), Some((5, 1, 1)));
    }
}

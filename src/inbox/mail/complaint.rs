//! Complaints by the Abuse Reporting Format (RFC 5965): somebody pressed « spam ».

use super::mime::Mail;
use super::{Action, Bounce, address, dsn};

/// Whom the complaint is about and its type; none where the mail is no complaint.
pub(super) fn read(mail: &Mail<'_>) -> Option<(Vec<Bounce>, String)> {
    let part = mail.parts_of("message", "feedback-report").next()?;
    let blocks = dsn::blocks(part);
    let fields = || blocks.iter().flatten();
    let kind = fields()
        .find(|(name, _)| name == "feedback-type")
        .map_or_else(|| "abuse".to_owned(), |(_, value)| value.to_ascii_lowercase());
    // Somebody took a message out of the junk folder; other types report on authentication.
    let unwelcome =
        matches!(kind.as_str(), "abuse" | "fraud" | "opt-out" | "opt-out-list" | "other");
    let mut recipients: Vec<String> = fields()
        .filter(|(name, _)| {
            matches!(
                name.as_str(),
                "original-rcpt-to" | "removal-recipient" | "final-recipient" | "original-recipient"
            )
        })
        .filter_map(|(_, value)| address::first(value))
        .collect();
    if recipients.is_empty() {
        recipients.extend(original_recipient(mail));
    }
    recipients.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    let bounces = recipients
        .into_iter()
        .map(|recipient| Bounce {
            recipient,
            status: "5.7.1".to_owned(),
            action: Action::Complaint,
            suppress: unwelcome,
        })
        .collect();
    Some((bounces, kind))
}

/// The recipient of the message that the complaint carries.
fn original_recipient(mail: &Mail<'_>) -> Option<String> {
    let whole = mail.embedded().find_map(|original| {
        let to = original.to()?.first()?.address()?;
        address::first(to)
    });
    whole.or_else(|| {
        mail.parts_of("text", "rfc822-headers").find_map(|headers| {
            dsn::blocks(headers)
                .iter()
                .flatten()
                .find(|(name, _)| name == "to")
                .and_then(|(_, value)| address::first(value))
        })
    })
}

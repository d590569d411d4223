use serde::{Deserialize, Serialize};

/// One mail, ready to be shown or sent: what `preview`, the sandbox and the console display.
///
/// Every text is decoded Unicode without control characters; encoding for the wire (RFC 2047,
/// quoted-printable, folding) happens on sending only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailContent {
    /// `Name <addr-spec>`.
    pub from: String,
    /// The recipient's addr-spec.
    pub to: String,
    /// `r+<token>@<reply domain>`: replies find their delivery by it.
    pub reply_to: String,
    /// `b+<token>@<reply domain>` (VERP): bounces find their delivery by it.
    pub envelope_from: String,
    pub subject: String,
    pub html: String,
    pub text: String,
    /// With its angle brackets; the same on every attempt of a delivery, so that a mailbox can
    /// tell a copy that a crash sent twice.
    pub message_id: String,
    /// The further header fields in order, values decoded.
    pub headers: Vec<(String, String)>,
}

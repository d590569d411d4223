use crate::inbound::{Inbound, Receipt};

/// A webhook as the web server received it. Nothing has been trusted yet.
#[derive(Debug, Clone)]
pub struct HookRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The public URL the provider called, query included: some signatures cover it.
    pub url: String,
    /// Decoded query pairs, in order.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Epoch milliseconds.
    pub received_at_ms: i64,
}

impl HookRequest {
    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a verified webhook said, and how to answer once it is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookRead {
    pub inbound: Vec<Inbound>,
    pub receipts: Vec<Receipt>,
    /// Body and media type of the 200 answer.
    pub answer: (String, &'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The signature or secret is missing or wrong: 403, counted, body not looked at.
    #[error("signature or secret missing or wrong")]
    NotSigned,
    /// Signed, yet not what the provider's documentation describes: 400, kept for staff.
    #[error("not understood: {0}")]
    NotUnderstood(String),
}

/// A webhook route, handed over as data: the web server mounts it, stores what `read` yields and
/// only then answers. `read` is pure.
pub trait Hook: Send + Sync {
    /// Below `/hooks/`: `sms/twilio`, `telegram` …
    fn path(&self) -> &str;
    /// # Errors
    /// Where the request is not the provider's, or not understood.
    fn read(&self, request: &HookRequest) -> Result<HookRead, HookError>;
}

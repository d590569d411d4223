use serde::{Deserialize, Serialize};

/// Seen from the citizen: what they received, what they sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    In,
    Out,
}

/// One letter in a made-up citizen's mailbox, phone or chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// Grows by one with every letter kept, over restarts too.
    pub seq: u64,
    /// The delivery's own id for what was received; made here for what was sent.
    pub id: String,
    pub channel: String,
    pub address: String,
    /// Epoch milliseconds.
    pub at_ms: i64,
    pub direction: Direction,
    pub title: String,
    /// The delivery's token; none on what the citizen sent.
    pub token: Option<String>,
    /// What receipts and answers name this letter by.
    pub reference: String,
    /// What the channel's shaper made; `{text, choice}` on what the citizen sent.
    pub content: serde_json::Value,
}

/// Told to viewers once a letter is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct News {
    pub channel: String,
    pub address: String,
    pub id: String,
    pub seq: u64,
    pub direction: Direction,
    pub title: String,
    /// Epoch milliseconds.
    pub at_ms: i64,
}

impl From<&Letter> for News {
    fn from(letter: &Letter) -> Self {
        Self {
            channel: letter.channel.clone(),
            address: letter.address.clone(),
            id: letter.id.clone(),
            seq: letter.seq,
            direction: letter.direction,
            title: letter.title.clone(),
            at_ms: letter.at_ms,
        }
    }
}

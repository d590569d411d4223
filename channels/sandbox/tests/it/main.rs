//! A made-up citizen's letterbox, from the channel's side and from the citizen's.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod answers;
mod letters;

use std::{path::Path, sync::Arc};

use portevoix_contract::{
    Channel, Language, Message, Outbound, Outcome, Recipient, Register, TextState, parse_markdown,
};
use portevoix_sandbox::{Letterboxes, SandboxChannel};
use serde_json::json;

const NOW: i64 = 1_795_435_200_000;

fn letterboxes(folder: &Path) -> Arc<Letterboxes> {
    Arc::new(Letterboxes::open(folder).unwrap())
}

fn channel(name: &'static str, letterboxes: &Arc<Letterboxes>) -> SandboxChannel {
    let shape = move |message: &Message, recipient: &Recipient| {
        Ok(json!({
            "text": portevoix_contract::plain_text(&message.blocks),
            "from": "Métropole de Lille <participation@lille.example>",
            "reply_to": format!("r+{}@lille.example", recipient.token),
            "message_id": format!("<{}@lille.example>", recipient.token),
        }))
    };
    SandboxChannel::new(name, Box::new(shape), Arc::clone(letterboxes))
}

fn message() -> Message {
    Message {
        title: "Un parc à Wazemmes : donnez votre avis".to_owned(),
        blocks: parse_markdown("La métropole veut créer un parc.\n\nQu’en pensez-vous ?"),
        short: None,
        actions: Vec::new(),
        footer: Vec::new(),
        greeting: None,
        language: Language::default(),
        register: Register::Standard,
        text_state: TextState::Standard,
        page: None,
        broadcast: true,
        topic: "consultation-12".to_owned(),
    }
}

fn recipient(address: &str) -> Recipient {
    Recipient {
        address: address.to_owned(),
        name: None,
        token: "abcdefghij234567".to_owned(),
        unsubscribe: None,
        preferences: None,
        in_reply_to: None,
    }
}

async fn send(channel: &SandboxChannel, address: &str, id: &str) -> Outcome {
    let content = channel.shape(&message(), &recipient(address)).unwrap();
    let outbound = Outbound {
        id: id.to_owned(),
        to: address.to_owned(),
        content,
        now_ms: NOW,
        deadline_ms: None,
    };
    channel.send(&outbound).await
}

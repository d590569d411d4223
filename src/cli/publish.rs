//! `publish FILE|-`: CloudEvents onto the bus that the configuration names.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::{Ended, Wrong};
use crate::{
    app::House,
    bus::{BusMessage, Room},
    config::Settings,
    intake::schema,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// One JSON object, an array, or JSON lines; `-`: standard input
    file: PathBuf,
}

/// Publications in flight together.
const WINDOW: usize = 256;

pub(super) async fn run(settings: Settings, arguments: &Arguments) -> anyhow::Result<Ended> {
    let bytes = super::input(&arguments.file)?;
    let documents = documents(&bytes)
        .map_err(|error| Wrong(format!("{} is not JSON: {error}", arguments.file.display())))?;
    let mut messages = Vec::new();
    let mut wrong = 0;
    for (place, document) in documents.iter().enumerate() {
        match message(document) {
            Ok(message) => messages.push(message),
            Err(problems) => {
                wrong += 1;
                for problem in problems {
                    eprintln!("event {}: {problem}", place + 1);
                }
            }
        }
    }
    let house = House::open(settings, &CancellationToken::new()).await?;
    let (mut new, mut known) = (0, 0);
    for window in messages.chunks(WINDOW) {
        for result in house.bus.publish(window).await {
            if result? { new += 1 } else { known += 1 }
        }
    }
    house.bells.ring(Room::Intake);
    println!("{new} published, {known} already there, {wrong} not valid");
    Ok(if wrong == 0 { Ended::Well } else { Ended::NotInOrder })
}

/// Each CloudEvent of a file.
pub(super) fn documents(bytes: &[u8]) -> serde_json::Result<Vec<serde_json::Value>> {
    let mut all = Vec::new();
    for document in serde_json::Deserializer::from_slice(bytes).into_iter() {
        match document? {
            serde_json::Value::Array(several) => all.extend(several),
            one => all.push(one),
        }
    }
    Ok(all)
}

fn message(document: &serde_json::Value) -> Result<BusMessage, Vec<crate::model::event::Problem>> {
    let payload = document.to_string().into_bytes();
    let event = schema::parse_structured(&payload)?;
    Ok(BusMessage {
        subject: event.kind.subject(),
        message_id: event.message_id(),
        headers: vec![("Content-Type".to_owned(), "application/cloudevents+json".to_owned())],
        payload,
    })
}

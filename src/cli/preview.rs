//! `preview EVENT.json`: the exact message that would be sent.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use portevoix_contract::{Language, Message, Recipient, Register};

use super::{Ended, Wrong};
use crate::{
    app::Registry,
    config::Settings,
    intake::schema,
    render::{Links, Rendered, Renderer, Variant},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A CloudEvent; `-`: standard input
    file: PathBuf,
    /// email, sms or telegram [default: all]
    #[arg(long)]
    channel: Option<String>,
    #[arg(long, default_value = "fr")]
    language: String,
    /// standard or plain
    #[arg(long, default_value = "standard")]
    register: String,
    /// What the channel makes of it, as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: &Settings, arguments: &Arguments) -> anyhow::Result<Ended> {
    let register = Register::from_str(&arguments.register)
        .map_err(|why| Wrong(format!("--register: {why}")))?;
    let bytes = super::input(&arguments.file)?;
    let event = match schema::parse_structured(&bytes) {
        Ok(event) => event,
        Err(problems) => {
            for problem in problems {
                eprintln!("{}: {problem}", arguments.file.display());
            }
            return Ok(Ended::NotInOrder);
        }
    };
    let renderer = Renderer::new(settings.templates.folder.as_deref())?;
    let public = settings.http.public_url.as_str().trim_end_matches('/');
    let links = Links { page: Some(format!("{public}/c/apercu00")) };
    let variant =
        Variant { language: Language::new(&arguments.language), register, ..Variant::default() };
    let message = match renderer.broadcast(&event, &variant, &links)? {
        Rendered::Message(message) => message,
        Rendered::AwaitsPlain => {
            eprintln!(
                "{} has no plain text: readers of plain language would wait for it",
                arguments.file.display()
            );
            return Ok(Ended::NotInOrder);
        }
    };
    let registry = Registry::for_preview(settings)?;
    let mut shown = 0;
    for channel in &registry.channels {
        if arguments.channel.as_deref().is_some_and(|wanted| wanted != channel.name()) {
            continue;
        }
        shown += 1;
        show(channel, &message, public, arguments.json)?;
    }
    if shown == 0 {
        let wanted = arguments.channel.as_deref().unwrap_or_default();
        return Err(Wrong(format!("--channel: `{wanted}` is none of email, sms, telegram")).into());
    }
    Ok(Ended::Well)
}

fn show(
    channel: &Arc<dyn portevoix_contract::Deliver>,
    message: &Message,
    public: &str,
    json: bool,
) -> anyhow::Result<()> {
    let (name, address) = match channel.name() {
        "email" => ("email", "marie@courriel.example"),
        "sms" => ("sms", "+33639980001"),
        other => (other, "100001"),
    };
    let token = "apercuapercuapercuapercuaperc";
    let recipient = Recipient {
        address: address.to_owned(),
        name: Some("Marie".to_owned()),
        token: token.to_owned(),
        unsubscribe: Some(format!("{public}/u/{token}")),
        preferences: Some(format!("{public}/me/{token}")),
        in_reply_to: None,
    };
    let shaped = channel.preview(message, &recipient)?;
    if json {
        println!("{}", serde_json::to_string(&shaped)?);
        return Ok(());
    }
    println!("── {name} ──");
    let content = &shaped.content;
    match name {
        "email" => {
            for field in ["from", "to", "reply_to", "subject"] {
                println!("{field}: {}", content[field].as_str().unwrap_or_default());
            }
            println!("\n{}", content["text"].as_str().unwrap_or_default());
        }
        "sms" => {
            println!(
                "{}, {} segment(s), {} units\n{}",
                content["encoding"].as_str().unwrap_or_default(),
                content["segments"],
                content["units"],
                content["text"].as_str().unwrap_or_default()
            );
        }
        _ => {
            for part in content["parts"].as_array().into_iter().flatten() {
                println!("{}", part["text"].as_str().unwrap_or_default());
                for button in part["buttons"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .flat_map(|row| row.as_array())
                    .flatten()
                {
                    println!("[ {} ]", button["text"].as_str().unwrap_or_default());
                }
            }
        }
    }
    println!();
    Ok(())
}

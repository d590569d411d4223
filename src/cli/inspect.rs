//! `inspect …`: what the gateway makes of one input, without doing anything.

use std::{io::Write, path::PathBuf};

use serde_json::{Value, json};

use super::{Ended, Wrong, inspect_mail, publish::documents};
use crate::intake::schema;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Mails: files, folders, mailboxes (mbox), or `-`
    Mail {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// A text message: encoding, units, segments
    #[cfg(feature = "sms")]
    Sms {
        text: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// CloudEvents: are they valid, and if not, why
    Event {
        /// One JSON object, an array, or JSON lines; `-`: standard input
        file: PathBuf,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Mail { paths, json } => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let read = inspect_mail::run(&paths, json, &mut out)?;
            Ok(if read { Ended::Well } else { Ended::NotInOrder })
        }
        #[cfg(feature = "sms")]
        Command::Sms { text, json } => {
            sms(&text, json);
            Ok(Ended::Well)
        }
        Command::Event { file, json } => event(&file, json),
    }
}

#[cfg(feature = "sms")]
fn sms(text: &str, json: bool) {
    let inspection = portevoix_sms::inspect(text);
    let value = serde_json::to_value(&inspection).unwrap_or_default();
    if json {
        println!("{value}");
        return;
    }
    let line = |value: &Value| {
        format!(
            "{}, {} units, {} segment(s)",
            value["encoding"].as_str().unwrap_or("?"),
            value["units"],
            value["segments"]
        )
    };
    println!("as written      {}", line(&value));
    println!("transliterated  {}", line(&value["transliterated"]));
    if value["transliterated"]["text"].as_str() != Some(text) {
        println!(
            "                {}",
            value["transliterated"]["text"].as_str().unwrap_or_default()
        );
    }
    for (number, part) in portevoix_sms::split(text).iter().enumerate() {
        println!("segment {}       {part}", number + 1);
    }
}

fn event(file: &std::path::Path, json: bool) -> anyhow::Result<Ended> {
    let bytes = super::input(file)?;
    let documents = match documents(&bytes) {
        Ok(documents) if !documents.is_empty() => documents,
        Ok(_) => return Err(Wrong(format!("{} holds no event", file.display())).into()),
        Err(error) => {
            let problem = json!([{ "path": "", "problem": format!("is not JSON: {error}") }]);
            print_event(&Value::Null, problem.as_array().map_or(&[], Vec::as_slice), json);
            return Ok(Ended::NotInOrder);
        }
    };
    let mut all_valid = true;
    for document in documents {
        let problems = match schema::parse_structured(document.to_string().as_bytes()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| json!(problem)).collect(),
        };
        all_valid &= problems.is_empty();
        print_event(&document, &problems, json);
    }
    Ok(if all_valid { Ended::Well } else { Ended::NotInOrder })
}

fn print_event(document: &Value, problems: &[Value], json: bool) {
    let mut out = std::io::stdout().lock();
    let (id, kind) = (&document["id"], &document["type"]);
    let written = if json {
        let line =
            json!({ "id": id, "type": kind, "valid": problems.is_empty(), "problems": problems });
        writeln!(out, "{line}")
    } else if problems.is_empty() {
        writeln!(out, "{} is valid", id.as_str().unwrap_or("(no id)"))
    } else {
        writeln!(out, "{} is not valid:", id.as_str().unwrap_or("(no id)")).and_then(|()| {
            problems.iter().try_for_each(|problem| {
                let path = problem["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("/");
                writeln!(out, "  {path}: {}", problem["problem"].as_str().unwrap_or_default())
            })
        })
    };
    // a reader that has seen enough closes the pipe: nothing is wrong then
    let _ = written;
}

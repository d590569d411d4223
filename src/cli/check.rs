//! `check`: configuration, templates, database, bus and providers, a line each.

use std::{path::Path, time::Duration};

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::Ended;
use crate::{
    app::{House, Registry},
    config,
    render::Renderer,
    store::Store,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Prints the settings in force, secrets masked
    #[arg(long)]
    print_config: bool,
}

/// What is away is said to be away after this.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(file: Option<&Path>, arguments: &Arguments) -> anyhow::Result<Ended> {
    let settings = config::load(file)?;
    if arguments.print_config {
        print!("{}", config::print_config(&settings));
        return Ok(Ended::Well);
    }
    let mut report = Report { in_order: true };
    report.tell("configuration", Ok("in order".to_owned()));
    report.tell("templates", templates(&settings));
    let database = database(&settings).await;
    let reachable = database.is_ok();
    report.tell("database", database);
    if reachable {
        let stop = CancellationToken::new();
        let opened = tokio::time::timeout(PATIENCE, House::open(settings.clone(), &stop));
        match opened.await {
            Ok(Ok(house)) => {
                report.tell("key", Ok("opens what the database holds".to_owned()));
                let probe = tokio::time::timeout(PATIENCE, house.bus.probe()).await;
                report.tell(
                    "bus",
                    match probe {
                        Ok(probe) => probe.map_err(|error| format!("{error}; look at bus.url")),
                        Err(_) => Err("NATS does not answer; look at bus.url".to_owned()),
                    },
                );
            }
            Ok(Err(error)) => report.tell("key", Err(format!("{error:#}"))),
            Err(_) => report.tell("bus", Err("NATS does not answer; look at bus.url".to_owned())),
        }
    }
    match Registry::for_preview(&settings) {
        Ok(registry) => {
            for channel in &registry.channels {
                let probe = tokio::time::timeout(PATIENCE, channel.probe()).await;
                let result =
                    probe.unwrap_or_else(|_| Err("the provider does not answer".to_owned()));
                report.tell(channel.name(), result);
            }
        }
        Err(error) => report.tell("channels", Err(format!("{error:#}"))),
    }
    Ok(if report.in_order { Ended::Well } else { Ended::NotInOrder })
}

struct Report {
    in_order: bool,
}

impl Report {
    fn tell(&mut self, what: &str, result: Result<String, String>) {
        match result {
            Ok(line) => println!("ok     {what:<14} {line}"),
            Err(line) => {
                self.in_order = false;
                println!("wrong  {what:<14} {line}");
            }
        }
    }
}

fn templates(settings: &config::Settings) -> Result<String, String> {
    let renderer =
        Renderer::new(settings.templates.folder.as_deref()).map_err(|error| error.to_string())?;
    let results = renderer.check();
    let wrong: Vec<String> = results
        .iter()
        .filter_map(|(name, result)| result.as_ref().err().map(|why| format!("{name}: {why}")))
        .collect();
    if wrong.is_empty() {
        Ok(format!("{} rendered with samples", results.len()))
    } else {
        Err(format!("{}; mend the file in templates.folder", wrong.join("; ")))
    }
}

async fn database(settings: &config::Settings) -> Result<String, String> {
    let database = &settings.database;
    let store = Store::connect(database.url.expose_secret(), database.max_connections)
        .await
        .map_err(|error| error.to_string())?;
    let away = "the database does not answer; look at database.url";
    tokio::time::timeout(PATIENCE, store.ping())
        .await
        .map_err(|_| away.to_owned())?
        .map_err(|error| format!("{error}; look at database.url"))?;
    let pending = store.pending_migrations().await.map_err(|error| error.to_string())?;
    store.close().await;
    if pending.is_empty() {
        Ok(store.shown_url().to_owned())
    } else {
        Ok(format!(
            "{}, {} migration(s) to apply: `portevoix migrate`",
            store.shown_url(),
            pending.len()
        ))
    }
}

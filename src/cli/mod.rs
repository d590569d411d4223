//! The command line, one file a subcommand.
//!
//! Exit codes: 0 done; 1 what was asked about is not in order; 2 the command line or the
//! configuration is wrong. Errors go to stderr as one sentence: what was wrong, where, what to do.

mod audit;
mod check;
mod demo;
mod inspect;
pub mod inspect_mail;
mod people;
mod preview;
mod publish;
mod serve;
mod subscribers;
mod tokens;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::config::{self, Settings};

/// The gateway by which a metropolis speaks with its citizens and hears them.
#[derive(Debug, Parser)]
#[command(name = "portevoix", version, about, max_term_width = 100)]
struct Line {
    /// Settings in front of the defaults [default: portevoix.toml where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The daemon
    Serve(serve::Arguments),
    /// The daemon with nothing to set up: made-up citizens, and a sandbox to answer from
    Demo(demo::Arguments),
    /// Puts CloudEvents on the bus: one JSON object, an array, or JSON lines
    Publish(publish::Arguments),
    /// Registers, exports and erases citizens
    #[command(subcommand)]
    Subscribers(subscribers::Command),
    /// What the gateway makes of one input, without doing anything
    #[command(subcommand)]
    Inspect(inspect::Command),
    /// The exact message that would be sent
    Preview(preview::Arguments),
    /// The balance of one event or of all: planned = sum over the states
    Audit(audit::Arguments),
    /// Configuration, templates, database, bus and providers, a line each
    Check(check::Arguments),
    /// Applies the migrations
    Migrate,
    /// Tokens for the API
    #[command(subcommand)]
    Tokens(tokens::Command),
}

/// How a command ended.
enum Ended {
    Well,
    /// What was asked about is not in order.
    NotInOrder,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    // the first provider installed is the one that every TLS connection uses
    let _ = rustls::crypto::ring::default_provider().install_default();
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let _ = error.print();
            let wrong = error.use_stderr();
            return ExitCode::from(if wrong { 2 } else { 0 });
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("portevoix: failed to start: {error}");
            return ExitCode::from(2);
        }
    };
    let ended = runtime.block_on(run(line));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::NotInOrder) => ExitCode::from(1),
        Err(error) => {
            eprintln!("portevoix: {error:#}");
            ExitCode::from(if error.is::<Wrong>() || error.is::<config::ConfigError>() {
                2
            } else {
                1
            })
        }
    }
}

/// The command line or the configuration is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Wrong(String);

async fn run(line: Line) -> anyhow::Result<Ended> {
    let config = line.config.as_deref();
    match line.command {
        Command::Serve(arguments) => serve::run(settings(config)?, arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Publish(arguments) => publish::run(settings(config)?, &arguments).await,
        Command::Subscribers(command) => subscribers::run(settings(config)?, command).await,
        Command::Inspect(command) => inspect::run(command),
        Command::Preview(arguments) => preview::run(&settings(config)?, &arguments),
        Command::Audit(arguments) => audit::run(settings(config)?, &arguments).await,
        Command::Check(arguments) => check::run(config, &arguments).await,
        Command::Migrate => migrate(&settings(config)?).await,
        Command::Tokens(command) => tokens::run(settings(config)?, command).await,
    }
}

fn settings(file: Option<&std::path::Path>) -> anyhow::Result<Settings> {
    Ok(config::load(file)?)
}

async fn migrate(settings: &Settings) -> anyhow::Result<Ended> {
    use secrecy::ExposeSecret;
    let database = &settings.database;
    let store =
        crate::store::Store::connect(database.url.expose_secret(), database.max_connections)
            .await?;
    let applied = store.migrate().await?;
    println!("{}: {applied} migration(s) applied", store.shown_url());
    Ok(Ended::Well)
}

/// The text of a file, or of standard input for `-`.
fn input(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    use anyhow::Context;
    use std::io::Read;
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).context("failed to read standard input")?;
    } else {
        bytes =
            std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    }
    Ok(bytes)
}

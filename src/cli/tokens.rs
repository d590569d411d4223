//! `tokens …`: who may use the API.

use tokio_util::sync::CancellationToken;

use super::{Ended, Wrong};
use crate::{app, clock::Clock, config::Settings, model::seal::secret_hash, store::TokenRow};

/// What a token may do.
const SCOPES: [&str; 3] = ["events:write", "contributions:read", "subscribers:write"];

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Makes a token and prints it, once
    Create {
        /// Who it is for
        name: String,
        /// events:write, contributions:read, subscribers:write, separated by commas
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
    },
    /// Tokens in force
    List,
    /// Ends a token
    Revoke { name: String },
}

pub(super) async fn run(settings: Settings, command: Command) -> anyhow::Result<Ended> {
    let clock = Clock::system();
    let store = app::open_store(&settings, &CancellationToken::new()).await?;
    match command {
        Command::Create { name, scopes } => {
            if let Some(unknown) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
                let known = SCOPES.join(", ");
                return Err(Wrong(format!("--scopes: `{unknown}` is none of {known}")).into());
            }
            if store.tokens().await?.iter().any(|token| token.name == name) {
                return Err(Wrong(format!(
                    "a token `{name}` is in force: revoke it first, or give another name"
                ))
                .into());
            }
            let token = format!("pv_{}", clock.id());
            let (hash, created_at) = (secret_hash(&token), clock.now_ms());
            store.add_token(&TokenRow { hash, name, scopes: scopes.join(" "), created_at }).await?;
            println!("{token}");
        }
        Command::List => {
            for token in store.tokens().await? {
                let day = crate::model::paris::day(token.created_at);
                println!("{}\t{}\tsince {day}", token.name, token.scopes);
            }
        }
        Command::Revoke { name } => {
            if !store.revoke_token(&name, clock.now_ms()).await? {
                eprintln!("portevoix: no token `{name}` is in force");
                return Ok(Ended::NotInOrder);
            }
        }
    }
    Ok(Ended::Well)
}

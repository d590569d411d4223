//! `audit [EVENT-ID]`: does the balance hold?

use tokio_util::sync::CancellationToken;

use super::Ended;
use crate::{app, config::Settings, model::balance::Balance, store::Store};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A CloudEvent's id [default: all events]
    event: Option<String>,
    /// One JSON object an event
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: Settings, arguments: &Arguments) -> anyhow::Result<Ended> {
    let store = app::open_store(&settings, &CancellationToken::new()).await?;
    let mut all_hold = true;
    let mut tell = |balance: &Balance| -> anyhow::Result<()> {
        all_hold &= balance.holds();
        show(balance, arguments.json)
    };
    match &arguments.event {
        Some(name) => {
            let events = store.events_named(name).await?;
            if events.is_empty() {
                eprintln!("portevoix: no event has the id `{name}` in {}", store.shown_url());
                return Ok(Ended::NotInOrder);
            }
            for event in events {
                if let Some(balance) = store.balance(event.id).await? {
                    tell(&balance)?;
                }
            }
        }
        None => every(&store, tell).await?,
    }
    Ok(if all_hold { Ended::Well } else { Ended::NotInOrder })
}

async fn every(
    store: &Store,
    mut tell: impl FnMut(&Balance) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut last = 0;
    loop {
        let page = store.event_ids_after(last, 100).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = *end;
        for event in page {
            if let Some(balance) = store.balance(event).await? {
                tell(&balance)?;
            }
        }
    }
}

fn show(balance: &Balance, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(balance)?);
        return Ok(());
    }
    let states = &balance.states;
    let verdict = if balance.holds() { "balances" } else { "DOES NOT BALANCE" };
    println!(
        "{}: planned {} = pending {} + sent {} + delivered {} + failed {} + suppressed {} + expired {} + cancelled {}: {verdict}",
        balance.id,
        balance.planned,
        states.pending,
        states.sent,
        states.delivered,
        states.failed,
        states.suppressed,
        states.expired,
        states.cancelled
    );
    Ok(())
}

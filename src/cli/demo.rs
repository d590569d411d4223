//! `demo`: the daemon with nothing to set up.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context;
use portevoix_sandbox::Letterboxes;

use super::{Ended, people, serve};
use crate::{
    app::{Daemon, House, Roles},
    audience::subscribing,
    config::Settings,
    model::{seal::secret_hash, subscriber},
    store::{NewCitizen, TokenRow},
    telemetry,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the demo keeps its database, its key and its letters
    #[arg(long, default_value = "portevoix-demo", value_name = "FOLDER")]
    dir: PathBuf,
    /// Where the demo listens [default: 127.0.0.1:8080, or a free port where that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// How many citizens to make up
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    citizens: usize,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<Ended> {
    let dir = &arguments.dir;
    std::fs::create_dir_all(dir)
        .with_context(|| format!("failed to make the demo's folder {}", dir.display()))?;
    let listener = listener(arguments.listen).await?;
    let settings = Settings::demo(dir, Some(listener.local_addr()?));
    telemetry::init(&settings.log)?;
    telemetry::metrics_handle()?;
    let stop = serve::stop_signal()?;
    let letterboxes = Arc::new(Letterboxes::open(&dir.join("letters"))?);
    let house = House::open(settings, &stop).await?;
    make_up(&house, arguments.citizens).await?;
    let token = token(&house).await?;
    let url = house.settings.http.public_url.as_str().trim_end_matches('/').to_owned();
    let citizens = house.store.count_citizens().await?;
    println!("Porte-voix is running with {citizens} made-up citizens in {}.\n", dir.display());
    println!("  Open      {url}/console/enter?token={token}\n");
    println!("  Sandbox   {url}/sandbox");
    println!("  API token {token}");
    println!("  Stop      Ctrl-C; nothing leaves this machine\n");
    Daemon::new(house, Roles::ALL, Some(letterboxes))?.run(Some(listener), stop).await?;
    Ok(Ended::Well)
}

async fn listener(wanted: Option<SocketAddr>) -> anyhow::Result<tokio::net::TcpListener> {
    let address = wanted.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(_) if wanted.is_none() => {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            tokio::net::TcpListener::bind(any).await.context("failed to listen on any port")
        }
        Err(error) => Err(error).with_context(|| {
            format!("failed to listen on {address}: give another --listen, or stop what is there")
        }),
    }
}

/// Registers the made-up citizens, once for a folder.
async fn make_up(house: &House, count: usize) -> anyhow::Result<()> {
    if house.store.count_citizens().await? > 0 {
        return Ok(());
    }
    let now = house.clock.now_ms();
    let mut batch = Vec::with_capacity(count);
    for record in people::made_up(count, house.clock.now()) {
        let checked = subscriber::check(&record, now).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            anyhow::anyhow!("a made-up citizen is not valid: {first}")
        })?;
        batch.push(subscribing::to_new_citizen(&checked, &house.sealer, &house.clock, "demo"));
    }
    let (source, at) = (house.source(), house.clock.now());
    let joined =
        |new: &NewCitizen, pseudonym: &str| subscribing::joined(new, pseudonym, &source, at);
    for part in batch.chunks(500) {
        house.store.register(part, &joined, now).await?;
    }
    Ok(())
}

/// A fresh token with every scope; the one of an earlier run is revoked.
async fn token(house: &House) -> anyhow::Result<String> {
    let now = house.clock.now_ms();
    house.store.revoke_token("demo", now).await?;
    let token = format!("pv_{}", house.clock.id());
    house
        .store
        .add_token(&TokenRow {
            hash: secret_hash(&token),
            name: "demo".to_owned(),
            scopes: "events:write contributions:read subscribers:write".to_owned(),
            created_at: now,
        })
        .await?;
    Ok(token)
}

//! `serve`: the daemon.

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{Ended, Wrong};
use crate::{
    app::{Daemon, House, Roles},
    config::Settings,
    telemetry,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which rooms to run: intake, dispatch, inbound, web, separated by commas [default: all]
    #[arg(long)]
    roles: Option<String>,
}

pub(super) async fn run(settings: Settings, arguments: Arguments) -> anyhow::Result<Ended> {
    let roles = match &arguments.roles {
        Some(text) => Roles::parse(text).map_err(|why| Wrong(format!("--roles: {why}")))?,
        None => Roles::ALL,
    };
    telemetry::init(&settings.log)?;
    // the recorder must be there before the first count
    telemetry::metrics_handle()?;
    if !settings.has_provider() {
        return Err(Wrong(
            "no channel has a provider: set email.provider, sms.provider or telegram.provider, \
             or run `portevoix demo` to look around"
                .to_owned(),
        )
        .into());
    }
    let stop = stop_signal()?;
    let listener = if roles.web { Some(listen(&settings).await?) } else { None };
    let opened = stop.child_token();
    let listener = listener.map(|listener| answer_meanwhile(listener, &opened)).transpose()?;
    let house = House::open(settings, &stop).await?;
    opened.cancel();
    tracing::info!(listen = %house.settings.http.listen, database = house.store.shown_url(),
        ?roles, "serving");
    Daemon::new(house, roles, None)?.run(listener, stop).await?;
    Ok(Ended::Well)
}

pub(super) async fn listen(settings: &Settings) -> anyhow::Result<tokio::net::TcpListener> {
    let address = settings.http.listen;
    tokio::net::TcpListener::bind(address).await.with_context(|| {
        format!("failed to listen on {address}: choose another http.listen, or stop what is there")
    })
}

/// Until `opened`, whoever asks is told that the daemon is not ready: it may have to wait for its
/// database. The same socket then serves the daemon itself.
fn answer_meanwhile(
    listener: tokio::net::TcpListener,
    opened: &CancellationToken,
) -> anyhow::Result<tokio::net::TcpListener> {
    let listener = listener.into_std()?;
    let meanwhile = tokio::net::TcpListener::from_std(listener.try_clone()?)?;
    let opened = opened.clone();
    tokio::spawn(async move {
        let served = axum::serve(meanwhile, crate::web::waiting())
            .with_graceful_shutdown(async move { opened.cancelled().await });
        if let Err(error) = served.await {
            tracing::warn!(%error, "nobody can be told that the daemon is not ready");
        }
    });
    Ok(tokio::net::TcpListener::from_std(listener)?)
}

/// Cancelled by SIGTERM or SIGINT; a second one ends the process at once.
pub(super) fn stop_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopped = stop.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stopped.is_cancelled() {
                std::process::exit(1);
            }
            stopped.cancel();
        }
    });
    Ok(stop)
}

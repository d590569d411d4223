//! The only place that wires rooms together.

mod keys;
mod registry;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use portevoix_contract::Sink;
use portevoix_sandbox::Letterboxes;
use secrecy::ExposeSecret;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use keys::sealer;
pub use registry::Registry;

use crate::{
    audience::Audience,
    bus::{Bells, Bus, Embedded, JetStream, NatsOptions},
    clock::Clock,
    config::{BusSettings, DatabaseKind, NatsAuth, PlainFallback, Settings},
    contributions::Contributions,
    dispatch::{Addresses, Dispatch, Pace, Preparer},
    inbox::{Gate, Inbox, SenderLimits},
    intake::Intake,
    model::{seal::Sealer, waiting::PlainWait},
    outbox::{Backoff, Hours, Keeper},
    receipts::Receipts,
    relay::Relay,
    render::Renderer,
    store::Store,
    web,
};

/// Which rooms a process runs: `serve --roles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Events in, planning, and what goes back to the bus.
    pub intake: bool,
    /// Sending.
    pub dispatch: bool,
    /// Replies and receipts.
    pub inbound: bool,
    /// HTTP.
    pub web: bool,
}

impl Roles {
    pub const ALL: Self = Self { intake: true, dispatch: true, inbound: true, web: true };

    /// From `intake,dispatch,inbound,web`.
    ///
    /// # Errors
    /// Where a word is none of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut roles = Self { intake: false, dispatch: false, inbound: false, web: false };
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "intake" => roles.intake = true,
                "dispatch" => roles.dispatch = true,
                "inbound" => roles.inbound = true,
                "web" => roles.web = true,
                other => {
                    return Err(format!(
                        "`{other}` is no role; use intake, dispatch, inbound, web, separated by commas"
                    ));
                }
            }
        }
        Ok(roles)
    }
}

/// Everything that commands and the daemon share, made from the settings.
pub struct House {
    pub settings: Settings,
    pub clock: Clock,
    pub store: Store,
    pub sealer: Arc<Sealer>,
    pub renderer: Arc<Renderer>,
    pub bus: Arc<dyn Bus>,
    pub bells: Bells,
}

impl House {
    /// Opens the database, migrates it where that is allowed, checks the key, connects the bus.
    /// A PostgreSQL or NATS server that is away is waited for until `stop`.
    ///
    /// # Errors
    /// Where the settings can't work, migrations are pending, or the key is another one.
    pub async fn open(settings: Settings, stop: &CancellationToken) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let store = open_store(&settings, stop).await?;
        let sealer = Arc::new(sealer(&settings.keys, &store, &clock).await?);
        let renderer = Arc::new(
            Renderer::new(settings.templates.folder.as_deref())
                .context("failed to read the templates")?,
        );
        let (bus, bells) = open_bus(&settings.bus, &store, &clock).await?;
        Ok(Self { settings, clock, store, sealer, renderer, bus, bells })
    }

    /// CloudEvents source of what the gateway tells.
    #[must_use]
    pub fn source(&self) -> String {
        crate::model::outgoing::SOURCE.to_owned()
    }
}

/// Opens the database and brings it to the program's own version, or says what to do.
///
/// # Errors
/// As [`House::open`].
pub async fn open_store(settings: &Settings, stop: &CancellationToken) -> anyhow::Result<Store> {
    let database = &settings.database;
    let store = Store::connect(database.url.expose_secret(), database.max_connections).await?;
    let mut pause = Duration::from_millis(200);
    loop {
        match store.pending_migrations().await {
            Ok(pending) if pending.is_empty() => return Ok(store),
            Ok(pending) => {
                if database.kind == DatabaseKind::Postgres && !database.migrate {
                    bail!(
                        "{} migration(s) are pending on {}: run `portevoix migrate`, or set database.migrate = true",
                        pending.len(),
                        store.shown_url()
                    );
                }
                store.migrate().await?;
                return Ok(store);
            }
            Err(error) if database.kind == DatabaseKind::Postgres => {
                tracing::warn!(%error, database = store.shown_url(), "waiting for the database");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stop.cancelled() => bail!("stopped while waiting for the database"),
                }
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn open_bus(
    settings: &BusSettings,
    store: &Store,
    clock: &Clock,
) -> anyhow::Result<(Arc<dyn Bus>, Bells)> {
    let Some(nats) = &settings.nats else {
        let bus = Embedded::new(store.clone(), clock.clone());
        return Ok((Arc::new(bus), Bells::default()));
    };
    let mut options = NatsOptions {
        url: nats.url.expose_secret().to_owned(),
        ack_wait: settings.ack_wait,
        replicas: nats.replicas,
        ..NatsOptions::default()
    };
    match &nats.auth {
        NatsAuth::None => {}
        NatsAuth::CredsFile(file) => options.creds_file = Some(file.clone()),
        NatsAuth::Token(token) => options.token = Some(token.clone()),
        NatsAuth::UserPassword { user, password } => {
            options.user = Some(user.clone());
            options.password = Some(password.clone());
        }
    }
    let bus = JetStream::connect(&options).await?;
    let (abroad, from_here) = tokio::sync::mpsc::unbounded_channel();
    let bells = Bells::new(Some(abroad));
    bus.carry_bells(&bells, from_here);
    Ok((Arc::new(bus), bells))
}

/// The daemon, ready to run.
pub struct Daemon {
    house: House,
    registry: Registry,
    roles: Roles,
    letterboxes: Option<Arc<Letterboxes>>,
    gate: Arc<dyn Sink>,
}

impl Daemon {
    /// # Errors
    /// Where a channel's settings can't work.
    pub fn new(
        house: House,
        roles: Roles,
        letterboxes: Option<Arc<Letterboxes>>,
    ) -> anyhow::Result<Self> {
        let registry = Registry::new(&house.settings, letterboxes.as_ref())?;
        let gate: Arc<dyn Sink> = Arc::new(Gate {
            store: house.store.clone(),
            sealer: Arc::clone(&house.sealer),
            bells: house.bells.clone(),
        });
        Ok(Self { house, registry, roles, letterboxes, gate })
    }

    /// Runs the rooms of the roles until `stop`; then ends in order: nothing new is taken, what is
    /// in flight is settled. `listener`: where HTTP is served.
    ///
    /// # Errors
    /// Where a room can't start.
    pub async fn run(
        self,
        listener: Option<tokio::net::TcpListener>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let rooms = TaskTracker::new();
        self.registry.start(&self.house.settings).await?;
        if self.roles.intake {
            self.start_intake(&rooms, &stop);
        }
        if self.roles.inbound {
            self.start_inbound(&rooms, &stop);
        }
        if self.roles.dispatch {
            self.start_dispatch(&rooms, &stop).await;
        }
        if let (true, Some(listener)) = (self.roles.web, listener) {
            let metrics = crate::telemetry::metrics_handle()?;
            let router = web::router(Arc::new(self.parts(metrics, stop.clone())));
            let stopped = stop.clone();
            rooms.spawn(async move {
                let served = axum::serve(
                    listener,
                    router.into_make_service_with_connect_info::<std::net::SocketAddr>(),
                )
                .with_graceful_shutdown(async move { stopped.cancelled().await });
                if let Err(error) = served.await {
                    tracing::error!(%error, "the web server ended");
                }
            });
        }
        rooms.close();
        stop.cancelled().await;
        tracing::info!("stopping: nothing new is taken, what is in flight is settled");
        let patience = Duration::from_secs(60);
        if tokio::time::timeout(patience, rooms.wait()).await.is_err() {
            tracing::warn!("some rooms did not end in time; their leases will be taken over");
        }
        self.house.store.close().await;
        Ok(())
    }

    fn start_intake(&self, rooms: &TaskTracker, stop: &CancellationToken) {
        let house = &self.house;
        let (store, bells, clock) = (&house.store, &house.bells, &house.clock);
        let intake = Intake {
            store: store.clone(),
            bus: Arc::clone(&house.bus),
            bells: bells.clone(),
            clock: clock.clone(),
        };
        spawn(rooms, stop, async move |stop| intake.run(&stop).await);
        let audience = Audience {
            store: store.clone(),
            bells: bells.clone(),
            clock: clock.clone(),
            plain: self.plain(),
        };
        spawn(rooms, stop, async move |stop| audience.run(&stop).await);
        let relay = Relay {
            store: store.clone(),
            bus: Arc::clone(&house.bus),
            bells: bells.clone(),
            clock: clock.clone(),
        };
        spawn(rooms, stop, async move |stop| relay.run(&stop).await);
    }

    fn start_inbound(&self, rooms: &TaskTracker, stop: &CancellationToken) {
        let house = &self.house;
        let (store, bells, clock) = (&house.store, &house.bells, &house.clock);
        let inbox = Inbox {
            store: store.clone(),
            bells: bells.clone(),
            clock: clock.clone(),
            sealer: Arc::clone(&house.sealer),
            limits: SenderLimits {
                messages_an_hour: i64::from(house.settings.inbox.per_sender_hour),
                receipts_an_hour: i64::from(house.settings.inbox.receipts_per_sender_hour),
            },
            source: house.source(),
        };
        spawn(rooms, stop, async move |stop| inbox.run(&stop).await);
        let contributions = Contributions {
            store: store.clone(),
            bells: bells.clone(),
            clock: clock.clone(),
            sealer: Arc::clone(&house.sealer),
            source: house.source(),
        };
        spawn(rooms, stop, async move |stop| contributions.run(&stop).await);
        let receipts =
            Receipts { store: store.clone(), bells: bells.clone(), clock: clock.clone() };
        spawn(rooms, stop, async move |stop| receipts.run(&stop).await);
        for source in &self.registry.sources {
            let (source, gate) = (Arc::clone(source), Arc::clone(&self.gate));
            spawn(rooms, stop, async move |stop| {
                let name = source.name();
                if let Err(error) = source.run(gate, stop).await {
                    tracing::error!(source = name, error, "an inbound source ended");
                }
            });
        }
    }

    async fn start_dispatch(&self, rooms: &TaskTracker, stop: &CancellationToken) {
        let house = &self.house;
        let owner = i64::from_be_bytes(house.clock.random::<8>());
        let keeper = Keeper {
            store: house.store.clone(),
            bells: house.bells.clone(),
            clock: house.clock.clone(),
            owner,
            source: house.source(),
            told: tokio::sync::Mutex::default(),
            life: tokio::sync::Mutex::default(),
        };
        let preparer = Arc::new(Preparer::new(
            house.store.clone(),
            Arc::clone(&house.renderer),
            Arc::clone(&house.sealer),
            Addresses {
                public_url: house
                    .settings
                    .http
                    .public_url
                    .as_str()
                    .trim_end_matches('/')
                    .to_owned(),
            },
            self.plain(),
        ));
        // before the first claim: another process must not find this one dead
        if let Err(error) = keeper.show_life().await {
            tracing::warn!(%error, "no sign of life yet; leases alone protect what is in hand");
        }
        spawn(rooms, stop, async move |stop| keeper.run(&stop).await);
        for channel in &self.registry.channels {
            let dispatch = Arc::new(Dispatch {
                store: house.store.clone(),
                bells: house.bells.clone(),
                clock: house.clock.clone(),
                channel: Arc::clone(channel),
                preparer: Arc::clone(&preparer),
                pace: self.pace(channel.name()),
                backoff: self.backoff(),
                owner,
                lease_ms: milliseconds(house.settings.outbox.lease),
            });
            spawn(rooms, stop, async move |stop| dispatch.run(&stop).await);
        }
    }

    fn plain(&self) -> PlainWait {
        let fallback_before_ms = match self.house.settings.plain.fallback {
            PlainFallback::Hold => None,
            PlainFallback::Standard { before } => Some(milliseconds(before)),
        };
        PlainWait { fallback_before_ms }
    }

    fn pace(&self, channel: &str) -> Pace {
        let settings = &self.house.settings;
        let hours = settings.sms.hours.map(|hours| Hours::new(hours.from, hours.until));
        let (per_second, hours) = match channel {
            "email" => (settings.email.per_second, None),
            "sms" => (settings.sms.per_second, hours),
            "telegram" => (Some(settings.telegram.per_second), None),
            _ => (None, None),
        };
        let in_flight = match channel {
            "telegram" => settings.telegram.in_flight.min(settings.outbox.in_flight),
            _ => settings.outbox.in_flight,
        };
        Pace { batch: settings.outbox.batch as usize, in_flight, per_second, hours }
    }

    fn backoff(&self) -> Backoff {
        let outbox = &self.house.settings.outbox;
        Backoff {
            base_ms: milliseconds(outbox.base_backoff),
            max_ms: milliseconds(outbox.max_backoff),
            max_attempts: i64::from(outbox.max_attempts),
        }
    }

    fn parts(
        &self,
        metrics: metrics_exporter_prometheus::PrometheusHandle,
        stop: CancellationToken,
    ) -> web::Parts {
        let house = &self.house;
        web::Parts {
            store: house.store.clone(),
            bus: Arc::clone(&house.bus),
            bells: house.bells.clone(),
            clock: house.clock.clone(),
            sealer: Arc::clone(&house.sealer),
            renderer: Arc::clone(&house.renderer),
            channels: self.registry.channels.clone(),
            hooks: self.registry.hooks.clone(),
            sink: Arc::clone(&self.gate),
            settings: house.settings.clone(),
            letterboxes: self.letterboxes.clone(),
            metrics,
            stop,
        }
    }
}

fn spawn<F>(
    rooms: &TaskTracker,
    stop: &CancellationToken,
    room: impl FnOnce(CancellationToken) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    rooms.spawn(room(stop.clone()));
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

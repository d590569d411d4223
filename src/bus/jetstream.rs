//! NATS JetStream: durable pull consumer, explicit acknowledgement after commit, streams created
//! where they are missing. A server that is away is waited for, at start too.

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{self, AckKind, consumer::PullConsumer, consumer::pull, stream},
};
use async_trait::async_trait;
use futures_util::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell, mpsc};

use super::{
    Bells, Bus, BusError, BusMessage, EVENTS, Handle, REJECTED, Received, Room, STREAMS, stream_of,
};

/// How to reach NATS.
#[derive(Debug, Clone, Default)]
pub struct NatsOptions {
    pub url: String,
    pub token: Option<SecretString>,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub creds_file: Option<std::path::PathBuf>,
    /// How long the server waits for an acknowledgement before it delivers again.
    pub ack_wait: Duration,
    /// Replicas of streams that have to be created.
    pub replicas: usize,
}

#[derive(Clone)]
pub struct JetStream {
    client: async_nats::Client,
    context: jetstream::Context,
    streams: std::sync::Arc<OnceCell<()>>,
    consumer: std::sync::Arc<OnceCell<PullConsumer>>,
    incoming: std::sync::Arc<Mutex<Option<pull::Stream>>>,
    ack_wait: Duration,
    replicas: usize,
}

/// Name of the durable consumer; all machines share it.
const CONSUMER: &str = "portevoix-intake";
/// Core subject of the doorbell between machines.
const BELL: &str = "portevoix.bell";

impl JetStream {
    /// Starts connecting; a server that is away is no error here.
    ///
    /// # Errors
    /// Where the options themselves are not usable.
    pub async fn connect(options: &NatsOptions) -> Result<Self, BusError> {
        let doing = "connect to NATS";
        let mut connect = async_nats::ConnectOptions::new()
            .name("portevoix")
            .retry_on_initial_connect()
            .connection_timeout(Duration::from_secs(5))
            .reconnect_delay_callback(|attempts| {
                Duration::from_millis((100 * attempts as u64).min(2_000))
            });
        if let Some(token) = &options.token {
            connect = connect.token(token.expose_secret().to_owned());
        }
        if let (Some(user), Some(password)) = (&options.user, &options.password) {
            connect = connect.user_and_password(user.clone(), password.expose_secret().to_owned());
        }
        if let Some(file) = &options.creds_file {
            connect = connect
                .credentials_file(file)
                .await
                .map_err(|error| BusError::new(doing, error))?;
        }
        let client =
            connect.connect(&options.url).await.map_err(|error| BusError::new(doing, error))?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(Duration::from_secs(5));
        Ok(Self {
            client,
            context,
            streams: std::sync::Arc::default(),
            consumer: std::sync::Arc::default(),
            incoming: std::sync::Arc::default(),
            ack_wait: options.ack_wait,
            replicas: options.replicas.max(1),
        })
    }

    async fn ensure_streams(&self) -> Result<(), BusError> {
        for (name, subjects) in STREAMS {
            self.context
                .get_or_create_stream(stream::Config {
                    name: name.to_owned(),
                    subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(),
                    storage: stream::StorageType::File,
                    num_replicas: self.replicas,
                    duplicate_window: Duration::from_secs(120),
                    ..stream::Config::default()
                })
                .await
                .map_err(|error| BusError::new("create the streams", error))?;
        }
        Ok(())
    }

    async fn consumer(&self) -> Result<&PullConsumer, BusError> {
        self.consumer
            .get_or_try_init(|| async {
                self.streams.get_or_try_init(|| self.ensure_streams()).await?;
                let doing = "create the intake's consumer";
                let stream = self
                    .context
                    .get_stream(EVENTS)
                    .await
                    .map_err(|error| BusError::new(doing, error))?;
                stream
                    .get_or_create_consumer(
                        CONSUMER,
                        pull::Config {
                            durable_name: Some(CONSUMER.to_owned()),
                            ack_policy: jetstream::consumer::AckPolicy::Explicit,
                            ack_wait: self.ack_wait,
                            // a database that is away must not use up an event's chances; what
                            // can't be used at all is copied to the dead letters and ended
                            max_deliver: -1,
                            max_ack_pending: 2_000,
                            ..pull::Config::default()
                        },
                    )
                    .await
                    .map_err(|error| BusError::new(doing, error))
            })
            .await
    }

    /// Carries the doorbell to and from other machines until the process ends.
    pub fn carry_bells(&self, bells: &Bells, mut from_here: mpsc::UnboundedReceiver<Room>) {
        let client = self.client.clone();
        tokio::spawn(async move {
            while let Some(room) = from_here.recv().await {
                let subject = format!("{BELL}.{}", room.name());
                if client.publish(subject, Vec::new().into()).await.is_err() {
                    break;
                }
            }
        });
        let (client, bells) = (self.client.clone(), bells.clone());
        tokio::spawn(async move {
            let Ok(mut rings) = client.subscribe(format!("{BELL}.*")).await else { return };
            while let Some(ring) = rings.next().await {
                let name = ring.subject.rsplit('.').next().unwrap_or_default().to_owned();
                if let Some(room) = Room::from_name(&name) {
                    bells.ring_here(room);
                }
            }
        });
    }

    /// Bytes of payload that the server takes beside a message's headers.
    fn room_for(&self, message: &BusMessage) -> usize {
        let most = match self.client.server_info().max_payload {
            0 => 1 << 20,
            most => most,
        };
        let headers: usize = message.headers.iter().map(|(k, v)| k.len() + v.len() + 4).sum();
        most.saturating_sub(headers + message.message_id.len() + 256)
    }

    fn publish_error(error: impl std::fmt::Display) -> BusError {
        BusError::new("publish on NATS", error)
    }
}

#[async_trait]
impl Bus for JetStream {
    async fn publish(&self, messages: &[BusMessage]) -> Vec<Result<bool, BusError>> {
        // a publisher may lack the right to create streams, and need not have it
        if let Err(error) = self.streams.get_or_try_init(|| self.ensure_streams()).await {
            tracing::debug!(%error, "streams are taken as they are");
        }
        // all acknowledgements are in flight together: one at a time is twenty times slower
        let mut pending = Vec::with_capacity(messages.len());
        for message in messages {
            let mut headers = HeaderMap::new();
            for (name, value) in &message.headers {
                let value = value.replace(['\r', '\n'], " ");
                headers.insert(name.as_str(), value.as_str());
            }
            headers.insert("Nats-Msg-Id", message.message_id.as_str());
            let mut payload = message.payload.clone();
            let room = self.room_for(message);
            if stream_of(&message.subject) == REJECTED && payload.len() > room {
                // a dead letter that the server refuses would be tried for ever
                headers.insert("Portevoix-Truncated", payload.len().to_string().as_str());
                payload.truncate(room);
            }
            pending.push(
                self.context
                    .publish_with_headers(message.subject.clone(), headers, payload.into())
                    .await,
            );
        }
        let mut results = Vec::with_capacity(pending.len());
        for one in pending {
            results.push(match one {
                Ok(ack) => ack.await.map(|ack| !ack.duplicate).map_err(Self::publish_error),
                Err(error) => Err(Self::publish_error(error)),
            });
        }
        results
    }

    async fn fetch(&self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError> {
        let mut held = self.incoming.lock().await;
        if held.is_none() {
            let stream = self.consumer().await?.stream().max_messages_per_batch(500);
            let stream =
                stream.messages().await.map_err(|error| BusError::new("fetch from NATS", error))?;
            *held = Some(stream);
        }
        let mut received = Vec::new();
        let mut at_most = wait;
        while let Some(stream) = held.as_mut().filter(|_| received.len() < max) {
            match tokio::time::timeout(at_most, stream.next()).await {
                Err(_nothing_more) => break,
                Ok(Some(Ok(message))) => received.push(from_jetstream(message)),
                Ok(Some(Err(error))) => {
                    *held = None;
                    if received.is_empty() {
                        return Err(BusError::new("fetch from NATS", error));
                    }
                }
                Ok(None) => *held = None,
            }
            // after the first, only what is here already: it is worked on rather than waited with
            at_most = Duration::from_millis(2);
        }
        Ok(received)
    }

    async fn ack(&self, received: &Received) -> Result<(), BusError> {
        let Handle::JetStream(message) = &received.handle else { return Ok(()) };
        message.ack().await.map_err(|error| BusError::new("acknowledge on NATS", error))
    }

    async fn nak(&self, received: &Received, delay: Duration) -> Result<(), BusError> {
        let Handle::JetStream(message) = &received.handle else { return Ok(()) };
        message
            .ack_with(AckKind::Nak(Some(delay)))
            .await
            .map_err(|error| BusError::new("put a message off on NATS", error))
    }

    async fn probe(&self) -> Result<String, BusError> {
        // not the account's figures: servers before 2.10 give them in another form
        self.streams.get_or_try_init(|| self.ensure_streams()).await?;
        self.context
            .get_stream(EVENTS)
            .await
            .map_err(|error| BusError::new("reach NATS JetStream", error))?;
        let server = self.client.server_info();
        Ok(format!("NATS {} with JetStream", server.version))
    }
}

fn from_jetstream(message: jetstream::Message) -> Received {
    let mut headers = Vec::new();
    let mut message_id = String::new();
    if let Some(map) = &message.headers {
        for (name, values) in map.iter() {
            let name = name.to_string();
            for value in values {
                if name == "Nats-Msg-Id" {
                    message_id = value.to_string();
                } else {
                    headers.push((name.clone(), value.to_string()));
                }
            }
        }
    }
    let tries = message.info().map_or(1, |info| u64::try_from(info.delivered).unwrap_or(1));
    if message_id.is_empty() {
        message_id = message
            .info()
            .map_or_else(|_| String::new(), |info| format!("{EVENTS}:{}", info.stream_sequence));
    }
    Received {
        message: BusMessage {
            subject: message.subject.to_string(),
            message_id,
            headers,
            payload: message.payload.to_vec(),
        },
        tries,
        handle: Handle::JetStream(Box::new(message)),
    }
}

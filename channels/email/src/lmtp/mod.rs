//! Replies and bounces come in over LMTP (RFC 2033): the city's own mail server hands them over,
//! and is told "received" only once they are committed.

mod received;
mod session;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use portevoix_contract::{Sink, Source};
use tokio::{io::AsyncWriteExt, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::error::EmailError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LmtpConfig {
    /// LMTP has no login: loopback or a network of our own only.
    pub listen: SocketAddr,
    /// Recipients in this domain are taken, all others refused.
    pub domain: String,
    /// The name said in the greeting.
    pub hostname: String,
    /// Bytes of one mail.
    pub max_bytes: usize,
    pub max_connections: usize,
    /// For one transaction.
    pub max_recipients: usize,
    /// For which a silent client is waited for; 5 minutes by RFC 5321 section 4.5.3.2.
    pub patience: Duration,
}

impl LmtpConfig {
    /// 25 MB a mail, 64 connections, 100 recipients, 5 minutes.
    #[must_use]
    pub fn new(listen: SocketAddr, domain: &str) -> Self {
        Self {
            listen,
            domain: domain.to_owned(),
            hostname: domain.to_owned(),
            max_bytes: 25_000_000,
            max_connections: 64,
            max_recipients: 100,
            patience: Duration::from_secs(300),
        }
    }
}

/// The listener, `email.lmtp`.
#[derive(Debug)]
pub struct LmtpSource {
    config: Arc<LmtpConfig>,
    address: SocketAddr,
    listener: Mutex<TcpListener>,
    clock: fn() -> i64,
}

impl LmtpSource {
    /// Takes the address at once, so that a port in use is known before anything starts; clients
    /// wait until [`Source::run`]. `clock` gives epoch milliseconds.
    ///
    /// # Errors
    /// [`EmailError::Listen`].
    pub fn bind(config: LmtpConfig, clock: fn() -> i64) -> Result<Self, EmailError> {
        let failed = |source| EmailError::Listen { address: config.listen.to_string(), source };
        let listener = TcpListener::bind(config.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { address, listener: Mutex::new(listener), clock, config: Arc::new(config) })
    }

    /// Where it listens; the port is a real one where 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

/// A client that is in the middle of a mail gets this long to finish when the daemon stops.
const GRACE: Duration = Duration::from_secs(5);

#[async_trait]
impl Source for LmtpSource {
    fn name(&self) -> &'static str {
        "email.lmtp"
    }

    async fn run(&self, sink: Arc<dyn Sink>, stop: CancellationToken) -> Result<(), String> {
        let listener = {
            let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
            listener.try_clone().map_err(|error| error.to_string())?
        };
        let listener =
            tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
        let permits = Arc::new(Semaphore::new(self.config.max_connections));
        let sessions = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let mut socket = match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    // Out of file handles, mostly: accepting again at once would only spin.
                    tracing::warn!(%error, "lmtp: can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                drop(socket.write_all(b"421 4.3.2 too many connections, try again\r\n").await);
                continue;
            };
            drop(socket.set_nodelay(true));
            let session = session::Session::new(
                socket,
                Arc::clone(&self.config),
                Arc::clone(&sink),
                stop.clone(),
                self.clock,
            );
            sessions.spawn(async move {
                if let Err(error) = session.run().await {
                    tracing::debug!(%error, "lmtp: connection ended");
                }
                drop(permit);
            });
        }
        sessions.close();
        sessions.wait().await;
        Ok(())
    }
}

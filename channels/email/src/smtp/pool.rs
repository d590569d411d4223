use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portevoix_contract::{Fault, Outcome};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    classify::Failure,
    connection::{Connection, Ended, Mail},
    server::SmtpServer,
};
use crate::shape::is_addr_spec;

/// How long to wait for a server. All of them bound one attempt, whose lease they should fit in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmtpTimes {
    /// TCP, TLS, greeting and AUTH together.
    pub connect: Duration,
    /// MAIL, RCPT and DATA together.
    pub command: Duration,
    /// The answer after the final dot.
    pub content: Duration,
    /// A connection that has waited longer for work is closed; servers hang up after 5 minutes
    /// (RFC 5321 section 4.5.3.2.7), many sooner.
    pub idle: Duration,
}

impl Default for SmtpTimes {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(30),
            content: Duration::from_secs(60),
            idle: Duration::from_secs(20),
        }
    }
}

/// Connections to one server, opened when needed, at most so many at once. Cheap to clone.
#[derive(Clone)]
pub struct SmtpPool {
    shared: Arc<Shared>,
}

struct Shared {
    server: SmtpServer,
    times: SmtpTimes,
    permits: Semaphore,
    /// The last one used is on top, so that the others may grow old and go.
    idle: Mutex<Vec<Connection>>,
}

impl std::fmt::Debug for SmtpPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SmtpPool({:?})", self.shared.server)
    }
}

impl SmtpPool {
    /// `connections`: open at once, at least 1. Opens none yet.
    #[must_use]
    pub fn new(server: SmtpServer, connections: usize, times: SmtpTimes) -> Self {
        let permits = Semaphore::new(connections.max(1));
        let idle = Mutex::new(Vec::new());
        Self { shared: Arc::new(Shared { server, times, permits, idle }) }
    }

    /// Hands a ready-made message (RFC 5322 in UTF-8, CRLF lines) to the server as it is. The
    /// reference is the server's own reply. A server that wants us to slow down is
    /// [`Outcome::Later`] here, for no clock is given.
    pub async fn send_raw(&self, envelope_from: &str, to: &str, message: &[u8]) -> Outcome {
        let Ok(body) = std::str::from_utf8(message) else {
            let why = "the message is not UTF-8".to_owned();
            return Outcome::Refused { fault: Fault::Message, why };
        };
        match self.deliver(envelope_from, to, body).await {
            Ok(reference) => Outcome::Accepted { reference },
            Err(failure) => failure.into_outcome(None),
        }
    }

    /// The server's reply, or why it did not take the mail.
    pub(crate) async fn deliver(
        &self,
        from: &str,
        to: &str,
        body: &str,
    ) -> Result<String, Failure> {
        if !is_addr_spec(to) {
            let why = "the recipient's address is not an email address".to_owned();
            return Err(Failure::Refused(Fault::Address, why));
        }
        if !from.is_empty() && !is_addr_spec(from) {
            let why = "the envelope sender is not an email address".to_owned();
            return Err(Failure::Refused(Fault::Us, why));
        }
        let shared = &self.shared;
        let Ok(_permit) = shared.permits.acquire().await else {
            return Err(Failure::Later("the connections are being closed".to_owned()));
        };
        let mail = Mail { from, to, body };
        loop {
            let mut connection = match self.take_idle() {
                Some(connection) => connection,
                None => Connection::open(&shared.server, &shared.times).await?,
            };
            let Ended { result, usable, unheard } = connection.send(&mail, &shared.times).await;
            if usable {
                connection.idle_since = Instant::now();
                self.idle().push(connection);
            }
            // A waiting connection that the server had closed says nothing about this mail.
            if !unheard {
                return result;
            }
        }
    }

    /// Connects, signs in, and says what the server can do.
    ///
    /// # Errors
    /// What is wrong, and what to look at.
    pub async fn probe(&self) -> Result<String, String> {
        let server = &self.shared.server;
        let place = format!("{}:{}", server.host, server.port);
        match Connection::open(server, &self.shared.times).await {
            Ok(mut connection) => {
                let answers = connection.answers(self.shared.times.command).await;
                let protection = if connection.encrypted { "TLS" } else { "no TLS" };
                let user = server.user.as_ref().map_or("no login", |_| "signed in");
                let pipelining =
                    if connection.promises.pipelining { "pipelining" } else { "no pipelining" };
                connection.close(self.shared.times.connect).await;
                if answers {
                    Ok(format!("{place} answers ({protection}, {user}, {pipelining})"))
                } else {
                    Err(format!("{place} greets but does not answer NOOP"))
                }
            }
            Err(Failure::Later(why) | Failure::Refused(_, why) | Failure::SlowDown(_, why)) => {
                Err(format!("{place}: {why}; look at email.smtp_url and at the server"))
            }
        }
    }

    /// Says QUIT on every waiting connection.
    pub async fn close(&self) {
        self.shared.permits.close();
        let connections = std::mem::take(&mut *self.idle());
        for connection in connections {
            connection.close(Duration::from_secs(1)).await;
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut old = Vec::new();
        let found = {
            let mut idle = self.idle();
            let limit = self.shared.times.idle;
            let first_young = idle.partition_point(|one| one.idle_since.elapsed() > limit);
            old.extend(idle.drain(..first_young));
            idle.pop()
        };
        if !old.is_empty() {
            tokio::spawn(async move {
                for connection in old {
                    connection.close(Duration::from_secs(1)).await;
                }
            });
        }
        found
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A panic elsewhere can't leave a list of connections half changed.
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

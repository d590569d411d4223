//! What goes wrong at a provider, on demand.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// One way to answer wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This status and a body that is not what the documentation promises.
    Status(u16),
    /// 429 with `Retry-After` in seconds.
    TooMany { retry_after: u32 },
    /// The request is read and never answered.
    Hang,
    /// 200, and a body that is no JSON.
    Garbage,
}

/// Faults that were ordered: for the next requests, or for all until they are lifted.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Ordered>);

#[derive(Debug, Default)]
struct Ordered {
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Faults {
    /// For the next request that has no fault ordered yet.
    pub fn next(&self, fault: Fault) {
        self.lock().next.push_back(fault);
    }

    /// For every request, until [`Faults::lift`].
    pub fn always(&self, fault: Fault) {
        self.lock().always = Some(fault);
    }

    /// From now on all is well.
    pub fn lift(&self) {
        *self.lock() = Ordered::default();
    }

    /// The wrong answer to this request, where one was ordered.
    pub async fn strike(&self) -> Option<Response> {
        let fault = {
            let mut ordered = self.lock();
            ordered.next.pop_front().or(ordered.always)
        };
        match fault? {
            Fault::Status(status) => {
                let status = StatusCode::from_u16(status).expect("a test asks for a real status");
                Some((status, "<html>the machine is on fire</html>").into_response())
            }
            Fault::TooMany { retry_after } => {
                let headers = [(header::RETRY_AFTER, retry_after.to_string())];
                Some((StatusCode::TOO_MANY_REQUESTS, headers, "slow down").into_response())
            }
            Fault::Hang => std::future::pending().await,
            Fault::Garbage => Some((StatusCode::OK, "\u{0}{\"ids\": [").into_response()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ordered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fake that listens on a free port until it is dropped.
#[derive(Debug)]
pub struct Listening {
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Listening {
    /// `router` is told its own address, which some signatures cover.
    pub async fn start(router: impl FnOnce(&str) -> axum::Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("failed to listen on a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let url = format!("http://{address}");
        let router = router(&url);
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a fake stopped serving");
        });
        Self { url, task }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

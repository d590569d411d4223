//! The bare loop that `cargo xtask bench` measures the daemon against: one ready-made mail to N
//! recipients over so many connections, with nothing else to do.
//!
//! `bare_smtp smtp://HOST:PORT?tls=none FILE RECIPIENTS CONNECTIONS`

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use portevoix_contract::Outcome;
use portevoix_email::{SmtpPool, SmtpServer, SmtpTimes};

const USAGE: &str = "usage: bare_smtp SMTP-URL FILE RECIPIENTS CONNECTIONS";

#[tokio::main]
async fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, file, recipients, connections] = arguments.as_slice() else {
        return Err(USAGE.to_owned());
    };
    let recipients: u32 = recipients.parse().map_err(|_| USAGE)?;
    let connections: usize = connections.parse().map_err(|_| USAGE)?;
    let mail = std::fs::read(file).map_err(|error| format!("failed to read {file}: {error}"))?;
    let server = SmtpServer::new(&url.as_str().into(), None, Some("bench"))
        .map_err(|error| error.to_string())?;
    let pool = SmtpPool::new(server, connections, SmtpTimes::default());

    let (mail, next) = (Arc::new(mail), Arc::new(AtomicU32::new(1)));
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (pool, mail, next) = (pool.clone(), Arc::clone(&mail), Arc::clone(&next));
        senders.spawn(async move { send(&pool, &mail, &next, recipients).await });
    }
    while let Some(ended) = senders.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    pool.close().await;
    Ok(())
}

/// Takes the next recipient until there is none left.
async fn send(
    pool: &SmtpPool,
    mail: &[u8],
    next: &AtomicU32,
    recipients: u32,
) -> Result<(), String> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number > recipients {
            return Ok(());
        }
        let from = format!("b+{number}@reponses.example.org");
        let to = format!("citoyen{number}@example.org");
        match pool.send_raw(&from, &to, mail).await {
            Outcome::Accepted { .. } => {}
            other => return Err(format!("mail {number} was not taken: {other:?}")),
        }
    }
}

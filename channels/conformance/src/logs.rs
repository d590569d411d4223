use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs `work` and gives what it gave and all that it logged: everything from our own crates, and
/// from `INFO` up from others, as the daemon's default filter has it.
///
/// Logs of this thread are seen: use it in a `#[tokio::test]` of the current-thread flavour.
///
/// # Panics
/// Where the log holds one of `secrets` (addresses, tokens, passwords, words of a message).
pub async fn quiet_logs<T>(secrets: &[&str], work: impl Future<Output = T>) -> (T, String) {
    let kept = Kept::default();
    let writer = kept.clone();
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let wanted =
        Targets::new().with_default(LevelFilter::INFO).with_target("portevoix", LevelFilter::TRACE);
    let subscriber = tracing_subscriber::registry().with(wanted).with(layer);
    let guard = tracing::subscriber::set_default(subscriber);
    let result = work.await;
    // Without this line an empty log would prove nothing.
    tracing::trace!(target: "portevoix", "end of the watched log");
    drop(guard);
    let log = kept.text();
    assert!(log.contains("end of the watched log"), "the log was not seen");
    for secret in secrets {
        assert!(!log.contains(secret), "the log holds a secret or an address:\n{log}");
    }
    (result, log)
}

#[cfg(test)]
mod tests {
    use super::quiet_logs;

    #[tokio::test]
    async fn what_is_logged_is_seen() {
        let ((), log) = quiet_logs(&["+33612345678"], async {
            tracing::info!(target: "portevoix_test", to = "+336…78", "sent");
        })
        .await;
        assert!(log.contains("+336…78"));
    }

    #[tokio::test]
    #[should_panic(expected = "holds a secret")]
    async fn a_leak_is_seen() {
        quiet_logs(&["+33612345678"], async {
            tracing::debug!(target: "portevoix_test", to = "+33612345678", "sent");
        })
        .await;
    }
}

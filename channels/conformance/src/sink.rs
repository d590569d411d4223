use std::sync::{Mutex, MutexGuard, PoisonError};

use portevoix_contract::{Inbound, NotStored, Receipt, Sink, Stored};
use tokio::sync::Notify;

#[derive(Default)]
struct Inner {
    inbound: Vec<Inbound>,
    receipts: Vec<Receipt>,
    failures: usize,
    refused: usize,
}

/// A sink that remembers each inbound once, by channel and provider id, as the daemon's table does.
#[derive(Default)]
pub struct KeepingSink {
    inner: Mutex<Inner>,
    changed: Notify,
}

impl KeepingSink {
    /// The next `times` calls can't be stored.
    pub fn fail_next(&self, times: usize) {
        self.lock().failures = times;
    }

    #[must_use]
    pub fn inbound(&self) -> Vec<Inbound> {
        self.lock().inbound.clone()
    }

    #[must_use]
    pub fn receipts(&self) -> Vec<Receipt> {
        self.lock().receipts.clone()
    }

    /// How many calls were answered "not stored".
    #[must_use]
    pub fn refused(&self) -> usize {
        self.lock().refused
    }

    /// Waits until `count` inbound are kept; the test's own time-out is the limit.
    pub async fn wait_for_inbound(&self, count: usize) -> Vec<Inbound> {
        loop {
            let changed = self.changed.notified();
            let inbound = self.inbound();
            if inbound.len() >= count {
                return inbound;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failing(inner: &mut Inner) -> Result<(), NotStored> {
        if inner.failures == 0 {
            return Ok(());
        }
        inner.failures -= 1;
        inner.refused += 1;
        Err(NotStored("told to fail".to_owned()))
    }
}

#[async_trait::async_trait]
impl Sink for KeepingSink {
    async fn inbound(&self, inbound: Inbound) -> Result<Stored, NotStored> {
        let mut inner = self.lock();
        Self::failing(&mut inner)?;
        let known = inner.inbound.iter().any(|kept| {
            (&kept.channel, &kept.provider_id) == (&inbound.channel, &inbound.provider_id)
        });
        if known {
            return Ok(Stored::Duplicate);
        }
        inner.inbound.push(inbound);
        drop(inner);
        self.changed.notify_waiters();
        Ok(Stored::New)
    }

    async fn receipt(&self, receipt: Receipt) -> Result<(), NotStored> {
        let mut inner = self.lock();
        Self::failing(&mut inner)?;
        inner.receipts.push(receipt);
        Ok(())
    }
}

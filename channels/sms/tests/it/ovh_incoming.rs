use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use portevoix_contract::{Inbound, NotStored, Receipt, Sink, Stored};
use portevoix_sms::ProviderConfig;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{Fault, sms},
    ovh::{Ovh, config},
};

/// Commits, except as often as it is told not to.
#[derive(Default)]
struct Store {
    refusals: AtomicUsize,
    taken: Mutex<Vec<Inbound>>,
    news: Notify,
}

#[async_trait]
impl Sink for Store {
    async fn inbound(&self, inbound: Inbound) -> Result<Stored, NotStored> {
        let refused = self
            .refusals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if refused {
            return Err(NotStored("database away".into()));
        }
        self.taken.lock().unwrap().push(inbound);
        self.news.notify_one();
        Ok(Stored::New)
    }

    async fn receipt(&self, _: Receipt) -> Result<(), NotStored> {
        Ok(())
    }
}

async fn until(store: &Store, count: usize) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while store.taken.lock().unwrap().len() < count {
            store.news.notified().await;
        }
    });
    waited.await.expect("a message was never taken");
}

#[tokio::test]
async fn each_message_is_taken_once_whatever_goes_wrong() {
    let ovh = Ovh::default();
    let message = |text: &str, sender: &str| {
        serde_json::json!({
            "id": 1, "creationDatetime": "2026-11-23T10:00:00+01:00", "message": text,
            "sender": sender, "tag": "", "credits": 0
        })
        .to_string()
    };
    ovh.incoming.lock().unwrap().extend([
        (12, message("Oui, un étang !", "0033612345678")),
        (13, "<html>not a message</html>".to_owned()),
        (11, message("1", "+33698765432")),
    ]);
    ovh.script.next(Fault::Answer(500, &[], ""));
    ovh.script.next(Fault::Answer(200, &[], "garbage"));
    let store = Arc::new(Store::default());
    store.refusals.store(1, Ordering::SeqCst);

    let channel = sms(ProviderConfig::Ovh(config(ovh.start().await)));
    let source = channel.sources().remove(0);
    let stop = CancellationToken::new();
    let run = {
        let (store, stop) = (store.clone(), stop.clone());
        tokio::spawn(async move { source.run(store, stop).await })
    };
    until(&store, 2).await;
    // a message that comes later is found by a later look, the others are not asked for again
    ovh.incoming.lock().unwrap().push((14, message("STOP", "38123")));
    until(&store, 3).await;
    stop.cancel();
    run.await.unwrap().unwrap();

    let taken = store.taken.lock().unwrap();
    let ids: Vec<&str> = taken.iter().map(|inbound| inbound.provider_id.as_str()).collect();
    assert_eq!(ids, ["11", "12", "14"]);
    assert_eq!(taken[1].from, "+33612345678");
    assert_eq!(taken[1].text.as_deref(), Some("Oui, un étang !"));
    assert_eq!(taken[1].received_at_ms, 1_795_424_400_000);
    assert_eq!(taken[2].from, "38123");
    assert!(serde_json::from_slice::<serde_json::Value>(&taken[0].raw).is_ok());
    let calls = ovh.calls.lock().unwrap();
    let asked = |path: &str| calls.iter().filter(|call| call.ends_with(path)).count();
    // 11 once for the sink that refused, once for the one that took it
    assert_eq!((asked("/11"), asked("/12"), asked("/13"), asked("/14")), (2, 1, 1, 1));
}

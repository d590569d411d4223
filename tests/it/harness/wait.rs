//! Waiting for a state. The only place in the tests where time passes on purpose: the ticks pace
//! the asking, and the deadline is only there to end a test that would never end.

use std::time::Duration;

const TICK: Duration = Duration::from_millis(20);
/// Far beyond what a loaded machine needs: whoever meets it has found a fault, not a slow disk.
const DEADLINE: Duration = Duration::from_secs(90);

/// Asks until the answer is yes.
///
/// # Panics
/// After 90 s, with `what`.
pub async fn wait_until(what: &str, mut state: impl AsyncFnMut() -> bool) {
    wait_for(what, async || state().await.then_some(())).await;
}

/// Asks until there is something, and returns it.
///
/// # Panics
/// After 90 s, with `what`.
pub async fn wait_for<T>(what: &str, mut state: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(found) = state().await {
                return found;
            }
        }
    };
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(found) => found,
        Err(_) => panic!("waited {} s in vain for: {what}", DEADLINE.as_secs()),
    }
}

//! Parts of a page that follow the rows: server-sent events, each a JSON object of the parts that
//! changed. The same templates make the page and its parts.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::view::Failure;

/// Name of a part → its HTML.
pub type Fragments = BTreeMap<&'static str, String>;

/// While rows change.
const TICK: Duration = Duration::from_millis(300);
/// After this many looks without a change, and where the database does not answer.
const CALM_AFTER: u32 = 30;
const CALM: Duration = Duration::from_secs(1);
/// A look never takes more than this part of the time, however many rows are counted.
const SHARE: u32 = 10;

struct Watch<F> {
    render: F,
    shown: Fragments,
    pause: Duration,
    unchanged: u32,
    stop: CancellationToken,
}

/// Renders again and again, and sends what changed, until `stop` or until the reader leaves.
pub fn stream<F, Fut>(
    stop: CancellationToken,
    render: F,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>>
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Fragments, Failure>> + Send + 'static,
{
    let watch =
        Watch { render, shown: Fragments::new(), pause: Duration::ZERO, unchanged: 0, stop };
    let events = stream::unfold(watch, |mut watch| async move {
        let changed = watch.next().await?;
        Some((Ok(Event::default().event("live").data(changed)), watch))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

impl<F, Fut> Watch<F>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<Fragments, Failure>> + Send,
{
    async fn next(&mut self) -> Option<String> {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(self.pause) => {}
            }
            let started = Instant::now();
            let Ok(fragments) = (self.render)().await else {
                self.pause = CALM;
                continue;
            };
            let changed: BTreeMap<_, _> = fragments
                .iter()
                .filter(|(name, html)| self.shown.get(*name) != Some(*html))
                .collect();
            self.unchanged = if changed.is_empty() { self.unchanged + 1 } else { 0 };
            let tick = if self.unchanged > CALM_AFTER { CALM } else { TICK };
            self.pause = tick.max(started.elapsed() * SHARE);
            if !changed.is_empty() {
                let told = serde_json::to_string(&changed).unwrap_or_default();
                self.shown = fragments;
                return Some(told);
            }
        }
    }
}

//! How a room lives: rounds of work while there are rows, then a wait for the bell. A fault is
//! logged, counted and survived.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Listener;

/// What a round found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// There may be more: go on at once.
    More,
    /// Nothing left: wait for the bell, at most this long.
    Wait(Duration),
}

impl Round {
    /// Nothing left; the slow poll.
    pub const IDLE: Self = Self::Wait(Duration::from_secs(2));
}

/// A room's work, round by round.
#[async_trait]
pub trait Work: Sync {
    type Error: std::fmt::Display + Send;

    /// Takes what there is, up to a batch.
    async fn round(&self) -> Result<Round, Self::Error>;
}

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Does rounds until `stop`. After an error it pauses, longer each time, and tries again: the
/// rows are still there.
pub async fn rounds<W: Work>(work: &W, mut listener: Listener, stop: &CancellationToken) {
    let room = listener.room().name();
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        match work.round().await {
            Ok(Round::More) => pause = FIRST_PAUSE,
            Ok(Round::Wait(at_most)) => {
                pause = FIRST_PAUSE;
                listener.wait(at_most, stop).await;
            }
            Err(error) => {
                metrics::counter!("portevoix_room_faults_total", "room" => room).increment(1);
                tracing::warn!(room, %error, "the {room} room will try again");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stop.cancelled() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

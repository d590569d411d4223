//! The doorbell: says that there are new rows. The row is the truth, the bell only saves time; a
//! slow poll covers one that was missed.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A room that waits for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Intake,
    Audience,
    Dispatch,
    Receipts,
    Inbox,
    Contributions,
    Relay,
}

impl Room {
    pub const ALL: [Self; 7] = [
        Self::Intake,
        Self::Audience,
        Self::Dispatch,
        Self::Receipts,
        Self::Inbox,
        Self::Contributions,
        Self::Relay,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Audience => "audience",
            Self::Dispatch => "dispatch",
            Self::Receipts => "receipts",
            Self::Inbox => "inbox",
            Self::Contributions => "contributions",
            Self::Relay => "relay",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|room| room.name() == name)
    }
}

/// One bell a room. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bells {
    local: Arc<Vec<watch::Sender<u64>>>,
    abroad: Option<mpsc::UnboundedSender<Room>>,
}

impl Default for Bells {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Bells {
    /// `abroad`: where rings also go for other machines to hear.
    #[must_use]
    pub fn new(abroad: Option<mpsc::UnboundedSender<Room>>) -> Self {
        Self { local: Arc::new(Room::ALL.iter().map(|_| watch::Sender::new(0)).collect()), abroad }
    }

    /// Rings here and abroad.
    pub fn ring(&self, room: Room) {
        self.ring_here(room);
        if let Some(abroad) = &self.abroad {
            // a forwarder that ended is no fault: the slow poll covers it
            let _ = abroad.send(room);
        }
    }

    /// A ring that came from another machine.
    pub fn ring_here(&self, room: Room) {
        self.local[room as usize].send_modify(|count| *count += 1);
    }

    #[must_use]
    pub fn listener(&self, room: Room) -> Listener {
        Listener { room, rings: self.local[room as usize].subscribe() }
    }
}

/// Hears every ring since it last waited.
#[derive(Debug)]
pub struct Listener {
    room: Room,
    rings: watch::Receiver<u64>,
}

impl Listener {
    #[must_use]
    pub fn room(&self) -> Room {
        self.room
    }

    /// Until the bell rings, `at_most` has passed or `stop` is cancelled.
    pub async fn wait(&mut self, at_most: Duration, stop: &CancellationToken) {
        let rung = async {
            if self.rings.changed().await.is_err() {
                // nobody is left to ring
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = rung => {}
            () = tokio::time::sleep(at_most) => {}
            () = stop.cancelled() => {}
        }
    }
}

//! What came in: stored raw and sealed first, then read, classified and matched.
//!
//! A reply leaves this room as `matched` (it becomes a contribution), `done` (STOP, an answer to
//! a question back …), `ignored` (robots) or `held` (a person has to look). Nothing is dropped.

mod choice;
mod gate;
mod judge;
mod keywords;
pub mod mail;
mod matching;
mod reading;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use choice::chosen;
pub use gate::Gate;
pub use keywords::{Keyword, keyword, says_more};

use crate::{
    bus::{Bells, Room, Round, Work, rounds},
    clock::Clock,
    model::seal::Sealer,
    store::{ReadReply, ReplyRow, ReplyState, Store, StoreError},
};

/// How much one sender may ask of us.
#[derive(Debug, Clone, Copy)]
pub struct SenderLimits {
    /// Messages an hour that are matched; more wait for staff.
    pub messages_an_hour: i64,
    /// Replies an hour that are acknowledged; more are kept and not answered.
    pub receipts_an_hour: i64,
}

/// The room that reads.
#[derive(Clone)]
pub struct Inbox {
    pub store: Store,
    pub bells: Bells,
    pub clock: Clock,
    pub sealer: Arc<Sealer>,
    pub limits: SenderLimits,
    /// CloudEvents source of what the gateway tells.
    pub source: String,
}

#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    #[error(transparent)]
    Store(#[from] StoreError),
}

const BATCH: i64 = 100;

#[async_trait]
impl Work for Inbox {
    type Error = InboxError;

    async fn round(&self) -> Result<Round, Self::Error> {
        let replies = self.store.replies_in("stored", BATCH).await?;
        if replies.is_empty() {
            return Ok(Round::IDLE);
        }
        for reply in replies {
            let state = self.judge(&reply).await?;
            metrics::counter!("portevoix_replies_total", "channel" => reply.channel.clone(),
                "state" => state)
            .increment(1);
        }
        self.bells.ring(Room::Contributions);
        self.bells.ring(Room::Dispatch);
        Ok(Round::More)
    }
}

impl Inbox {
    /// Until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let listener = self.bells.listener(Room::Inbox);
        rounds(self, listener, stop).await;
    }

    /// One reply, from `stored` to wherever it belongs.
    async fn judge(&self, reply: &ReplyRow) -> Result<&'static str, InboxError> {
        let opened = match self.sealer.open(&reply.sealed) {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(reply = reply.id, %error, "a reply does not open");
                let read = ReadReply {
                    class: "unreadable".to_owned(),
                    reason: Some(error.to_string()),
                    ..ReadReply::default()
                };
                self.settle(reply, ReplyState::Held, &read).await?;
                return Ok("held");
            }
        };
        judge::Judge { inbox: self, reply, now: self.clock.now_ms() }.run(&opened).await
    }

    async fn settle(
        &self,
        reply: &ReplyRow,
        to: ReplyState,
        read: &ReadReply,
    ) -> Result<(), InboxError> {
        self.store.settle_reply(reply.id, to, read, &[], None, self.clock.now_ms()).await?;
        Ok(())
    }
}

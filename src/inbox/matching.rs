//! Which consultation a reply is about: by the token it was sent to, by the message it answers, by
//! the open conversation of its address.

use super::{Inbox, reading::Words};
use crate::{
    model::seal::Purpose,
    store::{ConsultationRow, OpenConsultation, ReplyRow, SentTo, StoreError},
};

/// What was found.
#[derive(Debug)]
pub(super) enum Match {
    One(Target),
    /// The citizen has to say which.
    Several(Vec<OpenConsultation>),
    /// Nothing certain: staff have to look, for this reason.
    None(String),
}

#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) consultation: ConsultationRow,
    pub(super) event: Option<i64>,
    pub(super) citizen: Option<i64>,
    pub(super) delivery: Option<i64>,
}

/// What was written in time may arrive late.
const GRACE_MS: i64 = 24 * 3_600_000;

impl Inbox {
    pub(super) async fn find(
        &self,
        reply: &ReplyRow,
        words: &Words,
        fingerprint: &str,
        now: i64,
    ) -> Result<Match, StoreError> {
        if reply.channel == "web" {
            return self.by_page(&reply.recipient, now).await;
        }
        if let Some(sent) = self.named(reply, words).await? {
            // the token is proof of what is answered, not of who answers
            if sent.fingerprint.as_deref().is_some_and(|owner| owner != fingerprint) {
                return Ok(Match::None(
                    "written from another address than the one written to".into(),
                ));
            }
            if let Some(id) = &sent.consultation {
                return self.target(id, sent.event, sent.citizen, Some(sent.delivery), now).await;
            }
        }
        if reply.channel == "email" {
            return Ok(Match::None("no token of ours and no message of ours answered".into()));
        }
        let mut open = self.store.open_consultations(&reply.channel, fingerprint, now).await?;
        // in a chat, the last thing said is what is talked about
        if reply.channel == "telegram" {
            open.truncate(1);
        }
        match open.len() {
            0 => Ok(Match::None(
                "no open consultation that this address was written to about".into(),
            )),
            1 => {
                let one = open.remove(0);
                let (event, citizen) = (Some(one.event), Some(one.citizen));
                self.target(&one.id, event, citizen, Some(one.delivery), now).await
            }
            _ => Ok(Match::Several(open)),
        }
    }

    /// The delivery that a reply names, by token or by reference.
    pub(super) async fn named(
        &self,
        reply: &ReplyRow,
        words: &Words,
    ) -> Result<Option<SentTo>, StoreError> {
        if let Some(token) = &words.token
            && let Some(delivery) = self.sealer.read_token(Purpose::Delivery, &token.value)
        {
            return self.store.sent_to(delivery).await;
        }
        for reference in words.answers.iter().take(20) {
            if let Some(sent) = self.store.sent_as(&reply.channel, reference).await? {
                return Ok(Some(sent));
            }
        }
        Ok(None)
    }

    async fn by_page(&self, code: &str, now: i64) -> Result<Match, StoreError> {
        match self.store.event_by_code(code).await? {
            Some(event) => self.target(&event.consultation, Some(event.id), None, None, now).await,
            None => Ok(Match::None("no broadcast has that page".into())),
        }
    }

    async fn target(
        &self,
        consultation: &str,
        event: Option<i64>,
        citizen: Option<i64>,
        delivery: Option<i64>,
        now: i64,
    ) -> Result<Match, StoreError> {
        let Some(consultation) = self.store.consultation(consultation).await? else {
            return Ok(Match::None("its consultation is not known".into()));
        };
        if consultation.accepts == 0 {
            return Ok(Match::None("its consultation does not take opinions yet".into()));
        }
        if consultation.phase >= 4 || consultation.closes.is_some_and(|end| end + GRACE_MS <= now) {
            return Ok(Match::None("its consultation is closed".into()));
        }
        Ok(Match::One(Target { consultation, event, citizen, delivery }))
    }
}

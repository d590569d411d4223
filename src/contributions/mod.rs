//! A matched reply becomes a contribution, gets its receipt and goes to the bus.

mod words;

use std::sync::Arc;

use async_trait::async_trait;
use portevoix_contract::Language;
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Bells, Room, Round, Work, rounds},
    clock::Clock,
    model::{
        event::{Consultation, Question},
        notice::{Letter, Notice},
        outgoing::{ContributionData, OutgoingKind},
        paris,
        seal::Sealer,
    },
    store::{
        ConsultationRow, ContributionRow, NewContribution, NewNotice, NewOutgoing, ReplyRow, Store,
        StoreError,
    },
};

pub use words::anonymised;

/// The room that makes contributions.
#[derive(Clone)]
pub struct Contributions {
    pub store: Store,
    pub bells: Bells,
    pub clock: Clock,
    pub sealer: Arc<Sealer>,
    /// CloudEvents source of what the gateway tells.
    pub source: String,
}

const BATCH: i64 = 100;

#[async_trait]
impl Work for Contributions {
    type Error = StoreError;

    async fn round(&self) -> Result<Round, Self::Error> {
        let replies = self.store.replies_in("matched", BATCH).await?;
        if replies.is_empty() {
            return Ok(Round::IDLE);
        }
        for reply in &replies {
            self.take(reply).await?;
        }
        self.bells.ring(Room::Relay);
        self.bells.ring(Room::Dispatch);
        Ok(Round::More)
    }
}

impl Contributions {
    /// Until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let listener = self.bells.listener(Room::Contributions);
        rounds(self, listener, stop).await;
    }

    async fn take(&self, reply: &ReplyRow) -> Result<(), StoreError> {
        let standing = match reply.amends {
            Some(amends) => self.store.contribution_of_reply(amends).await?,
            None => None,
        };
        if reply.class.as_deref() == Some("withdrawal") {
            let (Some(citizen), Some(consultation)) = (reply.citizen, &reply.consultation) else {
                return self.nothing_to_change(reply).await;
            };
            match self.store.last_contribution(citizen, consultation).await? {
                Some(last) => self.change(reply, &last, Change::Withdraw).await,
                None => self.nothing_to_change(reply).await,
            }
        } else if let Some(standing) = standing {
            self.change(reply, &standing, Change::Amend).await
        } else {
            self.add(reply).await
        }
    }

    /// RETIRER, and there is nothing to take back: a person has to look.
    async fn nothing_to_change(&self, reply: &ReplyRow) -> Result<(), StoreError> {
        self.store
            .hold_reply(reply.id, "nothing to take back was found", self.clock.now_ms())
            .await?;
        Ok(())
    }

    async fn add(&self, reply: &ReplyRow) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        let Some(consultation_id) = &reply.consultation else {
            return self.nothing_to_change(reply).await;
        };
        let pseudonym = self.clock.id();
        let author = match reply.citizen {
            Some(citizen) => self.store.author(citizen, consultation_id, &pseudonym).await?,
            None => pseudonym,
        };
        let new = NewContribution {
            id: self.clock.id(),
            number: self.number(reply.received_at),
            consultation: consultation_id.clone(),
            event: reply.event,
            citizen: reply.citizen,
            author,
            channel: reply.channel.clone(),
            language: self.language(reply),
            text: reply.text.clone().unwrap_or_default(),
            answer: reply.answer.clone(),
            attachments: "[]".to_owned(),
            reply: Some(reply.id),
            received_at: reply.received_at,
        };
        let consultation = self.store.consultation(consultation_id).await?;
        let question: Option<Question> = consultation
            .as_ref()
            .and_then(|row| row.question.as_deref())
            .and_then(|json| serde_json::from_str(json).ok());
        let context = consultation.as_ref().map(ConsultationRow::noun);
        let outgoing = self
            .outgoing(OutgoingKind::ContributionReceived, &Told::from(&new), reply.event, now)
            .await?;
        let notice = Notice::Receipt {
            number: new.number.clone(),
            received_on: paris::day(reply.received_at),
            excerpt: Some(new.text.clone()).filter(|text| !text.is_empty()),
            answer: words::label(question.as_ref(), new.answer.as_deref(), &new.language),
        };
        let receipt = self.receipt(reply, notice, context).await?;
        if self.store.add_contribution(&new, &outgoing, receipt.as_ref(), now).await? {
            tracing::info!(contribution = %new.number, consultation = %consultation_id,
                channel = %new.channel, "contribution received");
            count(&new.channel, "received");
        }
        Ok(())
    }

    async fn change(
        &self,
        reply: &ReplyRow,
        standing: &ContributionRow,
        change: Change,
    ) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        let received_on = paris::day(reply.received_at);
        let number = standing.number.clone();
        let text = match change {
            Change::Amend => reply.text.clone().unwrap_or_default(),
            Change::Withdraw => String::new(),
        };
        let answer = reply.answer.as_deref().filter(|_| change == Change::Amend);
        let (kind, state, notice) = match change {
            Change::Amend => {
                let excerpt = Some(text.clone());
                let notice = Notice::Amended { number, received_on, excerpt, answer: None };
                (OutgoingKind::ContributionAmended, "amended", notice)
            }
            Change::Withdraw => {
                let notice = Notice::Withdrawn { number, received_on };
                (OutgoingKind::ContributionWithdrawn, "withdrawn", notice)
            }
        };
        let told = Told {
            text: &text,
            answer: answer.map(str::to_owned),
            version: reply.id,
            ..Told::from(standing)
        };
        let outgoing = self.outgoing(kind, &told, standing.event, now).await?;
        let consultation = self.store.consultation(&standing.consultation).await?;
        let context = consultation.as_ref().map(ConsultationRow::noun);
        let receipt = self.receipt(reply, notice, context).await?;
        let changed = self
            .store
            .change_contribution(
                &standing.id,
                state,
                &text,
                answer,
                reply.id,
                &outgoing,
                receipt.as_ref(),
                now,
            )
            .await?;
        if changed {
            tracing::info!(contribution = %standing.number, state, "contribution changed");
            count(&standing.channel, state);
        }
        Ok(())
    }

    async fn outgoing(
        &self,
        kind: OutgoingKind,
        told: &Told<'_>,
        event: Option<i64>,
        now: i64,
    ) -> Result<NewOutgoing, StoreError> {
        let in_reply_to = match event {
            Some(event) => self.store.event(event).await?.map(|row| row.event_id),
            None => None,
        };
        let data = ContributionData {
            contribution_id: told.id.to_owned(),
            consultation_id: told.consultation.to_owned(),
            author: told.author.to_owned(),
            channel: words::channel(told.channel)?,
            language: told.language.to_owned(),
            text: told.text.to_owned(),
            answer: told.answer.clone(),
            in_reply_to,
            received_at: paris::instant(told.received_at),
            attachments: Vec::new(),
        };
        let id = match kind {
            OutgoingKind::ContributionReceived => told.id.to_owned(),
            _ => format!("{}:{}:{}", kind.name(), told.id, told.version),
        };
        Ok(NewOutgoing::event(kind, &id, &self.source, paris::instant(now), &data))
    }

    /// None where the reply must not be answered: a robot's, one too many, a page's.
    async fn receipt(
        &self,
        reply: &ReplyRow,
        notice: Notice,
        consultation: Option<Consultation>,
    ) -> Result<Option<NewNotice>, StoreError> {
        if reply.acknowledge == 0 || reply.channel == "web" {
            return Ok(None);
        }
        let citizen = match reply.citizen {
            Some(citizen) => self.store.citizen(citizen).await?,
            None => None,
        };
        // the receipt goes to the address the citizen gave us, never to one a mail merely claims
        let own = match reply.citizen {
            Some(citizen) => self.store.addresses(citizen).await?,
            None => Vec::new(),
        };
        let sealed = own
            .into_iter()
            .find(|address| address.channel == reply.channel)
            .map_or_else(|| reply.sender.clone(), |address| address.sealed);
        let once = format!("{}:{}", notice.name(), reply.id);
        let letter = Letter { notice, consultation, in_reply_to: reply.message_id.clone() };
        Ok(Some(NewNotice {
            citizen: reply.citizen,
            channel: reply.channel.clone(),
            sealed,
            language: citizen
                .as_ref()
                .map_or_else(|| self.language(reply), |citizen| citizen.language.clone()),
            register: citizen.map_or_else(|| "standard".to_owned(), |citizen| citizen.register),
            notice: serde_json::to_string(&letter).unwrap_or_default(),
            once,
            due_at: self.clock.now_ms(),
            deadline: None,
        }))
    }

    fn language(&self, reply: &ReplyRow) -> String {
        reply.language.clone().unwrap_or_else(|| Language::DEFAULT.to_owned())
    }

    /// What a receipt names: the year and eight random characters without look-alikes.
    fn number(&self, received_at: i64) -> String {
        let random = self.clock.id().to_uppercase();
        format!("PV-{}-{}", paris::day(received_at).year(), &random[..8])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Amend,
    Withdraw,
}

/// What the bus is told of a contribution.
struct Told<'a> {
    id: &'a str,
    consultation: &'a str,
    author: &'a str,
    channel: &'a str,
    language: &'a str,
    text: &'a str,
    answer: Option<String>,
    received_at: i64,
    version: i64,
}

impl<'a> From<&'a NewContribution> for Told<'a> {
    fn from(new: &'a NewContribution) -> Self {
        Self {
            id: &new.id,
            consultation: &new.consultation,
            author: &new.author,
            channel: &new.channel,
            language: &new.language,
            text: &new.text,
            answer: new.answer.clone(),
            received_at: new.received_at,
            version: 0,
        }
    }
}

impl<'a> From<&'a ContributionRow> for Told<'a> {
    fn from(row: &'a ContributionRow) -> Self {
        Self {
            id: &row.id,
            consultation: &row.consultation,
            author: &row.author,
            channel: &row.channel,
            language: &row.language,
            text: &row.text,
            answer: row.answer.clone(),
            received_at: row.received_at,
            version: 0,
        }
    }
}

fn count(channel: &str, change: &'static str) {
    metrics::counter!("portevoix_contributions_total", "channel" => channel.to_owned(),
        "change" => change)
    .increment(1);
}

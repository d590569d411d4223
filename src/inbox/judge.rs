//! One reply, judged: robots, keywords, answers to a question back, opinions.

use jiff::civil::Date;
use portevoix_contract::Language;

use super::{
    Inbox, InboxError, Keyword,
    gate::Packed,
    keyword,
    mail::{Action, TokenKind},
    matching::{Match, Target},
    reading::{Words, words},
    says_more,
};
use crate::{
    model::{
        event::{Question, Texts},
        notice::{Letter, Notice},
        outgoing::{ChannelName, CitizenData, OutgoingKind},
        paris,
    },
    store::{
        CitizenRow, NewNotice, NewOutgoing, OpenConsultation, ReadReply, ReplyRow, ReplyState,
    },
};

/// A question back is settled by an answer within this time.
const QUESTION_MS: i64 = 7 * 24 * 3_600_000;
/// Text by which the Telegram channel says that the bot was blocked.
const KICKED: &str = "/kicked";

pub(super) struct Judge<'a> {
    pub(super) inbox: &'a Inbox,
    pub(super) reply: &'a ReplyRow,
    pub(super) now: i64,
}

/// Who wrote, as far as is known, and how to answer.
struct Author {
    fingerprint: String,
    sealed: String,
    citizen: Option<CitizenRow>,
    language: String,
}

impl Judge<'_> {
    pub(super) async fn run(&self, opened: &[u8]) -> Result<&'static str, InboxError> {
        let packed: Packed = match serde_json::from_slice(opened) {
            Ok(packed) => packed,
            Err(error) => {
                let words = Words { class: "unreadable".into(), ..Words::default() };
                return self.held(&words, None, &error.to_string(), &[]).await;
            }
        };
        let words = words(&self.reply.channel, &packed);
        match words.class.as_str() {
            "reply" => {}
            "bounce" | "complaint" => return self.bounced(&words).await,
            "unreadable" => return self.held(&words, None, "it can't be read", &[]).await,
            "empty" if words.attachments > 0 => {
                return self.held(&words, None, "attachments and no words", &[]).await;
            }
            _ => {
                return self
                    .end(ReplyState::Ignored, "ignored", &self.read(&words, None), &[])
                    .await;
            }
        }
        let author = self.author(&words).await?;
        if let Some(keyword) = self.keyword(&words) {
            return self.steer(keyword, &words, &author).await;
        }
        if let Some(done) = self.settles_question(&words, &author).await? {
            return Ok(done);
        }
        self.opinion(&words, &author).await
    }

    async fn author(&self, words: &Words) -> Result<Author, InboxError> {
        let (store, channel) = (&self.inbox.store, &self.reply.channel);
        let fingerprint = self.inbox.sealer.fingerprint(channel, &words.from);
        let citizen = store.citizen_at(channel, &fingerprint).await?;
        let language = citizen
            .as_ref()
            .map(|citizen| citizen.language.clone())
            .or_else(|| words.language.clone())
            .unwrap_or_else(|| Language::DEFAULT.to_owned());
        let sealed = self.inbox.sealer.seal(words.from.as_bytes());
        Ok(Author { fingerprint, sealed, citizen, language })
    }

    /// On a phone a first word is enough (the operators' charter); elsewhere only a text that says
    /// nothing else steers, for "Stop aux voitures" is an opinion.
    fn keyword(&self, words: &Words) -> Option<Keyword> {
        let unsubscribe = self.reply.recipient.starts_with("u+");
        match words.text.trim() {
            _ if unsubscribe => Some(Keyword::Stop),
            KICKED | "/stop" => Some(Keyword::Stop),
            text if text == "/start" || text.starts_with("/start ") => Some(Keyword::Start),
            text if self.reply.channel == "sms" || !says_more(text) => keyword(text),
            _ => None,
        }
    }

    async fn steer(
        &self,
        keyword: Keyword,
        words: &Words,
        author: &Author,
    ) -> Result<&'static str, InboxError> {
        let (store, channel) = (&self.inbox.store, self.reply.channel.as_str());
        let mut read = self.read(words, None);
        read.citizen = author.citizen.as_ref().map(|citizen| citizen.id);
        match keyword {
            Keyword::Stop => {
                let left = author.citizen.as_ref().and_then(|citizen| self.left(citizen));
                let kicked = words.text.trim() == KICKED;
                let reason = if kicked { "blocked the bot" } else { "STOP" };
                let new = store
                    .object(channel, &author.fingerprint, reason, left.as_ref(), self.now)
                    .await?;
                self.inbox.bells.ring(crate::bus::Room::Relay);
                read.reason = Some(reason.to_owned());
                let confirm = new && !kicked && words.acknowledge;
                let once = format!("stopped:{channel}:{}:{}", author.fingerprint, self.now);
                let notice = self.notice(Notice::Stopped, None, words, author, once);
                let notices = if confirm { vec![notice] } else { Vec::new() };
                if says_more(&words.text) && !kicked {
                    // the objection stands; whether there is an opinion beside it, a person decides
                    read.reason = Some("STOP, with words of its own".to_owned());
                    return self.end(ReplyState::Held, "held", &read, &notices).await;
                }
                self.end(ReplyState::Done, "done", &read, &notices).await
            }
            Keyword::Start => {
                let known = store.resume(channel, &author.fingerprint, self.now).await?;
                read.reason = Some("START".to_owned());
                let notice = if known { Notice::Restarted } else { Notice::Help };
                self.answered(words, author, &read, notice).await
            }
            Keyword::Help => {
                read.reason = Some("asked for help".to_owned());
                self.answered(words, author, &read, Notice::Help).await
            }
            Keyword::Withdraw => self.withdraw(words, author).await,
        }
    }

    async fn answered(
        &self,
        words: &Words,
        author: &Author,
        read: &ReadReply,
        notice: Notice,
    ) -> Result<&'static str, InboxError> {
        let once = format!("{}:{}", notice.name(), self.reply.id);
        let notices = if self.may_answer(words, author).await? {
            vec![self.notice(notice, None, words, author, once)]
        } else {
            Vec::new()
        };
        self.end(ReplyState::Done, "done", read, &notices).await
    }

    /// RETIRER: the newest contribution of this person, to what they answer or else of all.
    async fn withdraw(&self, words: &Words, author: &Author) -> Result<&'static str, InboxError> {
        let found = self.inbox.find(self.reply, words, &author.fingerprint, self.now).await?;
        let target = match found {
            Match::One(target) => target,
            Match::Several(open) => return self.ask(words, author, &open).await,
            Match::None(why) => return self.held(words, Some(author), &why, &[]).await,
        };
        let mut read = self.read(words, Some(&target));
        read.class = "withdrawal".to_owned();
        read.acknowledge = self.may_answer(words, author).await?;
        self.end(ReplyState::Matched, "matched", &read, &[]).await
    }

    /// A number that answers our question "which consultation?".
    async fn settles_question(
        &self,
        words: &Words,
        author: &Author,
    ) -> Result<Option<&'static str>, InboxError> {
        let (store, channel) = (&self.inbox.store, &self.reply.channel);
        let since = self.now - QUESTION_MS;
        let Some(question) = store.open_question(channel, &author.fingerprint, since).await? else {
            return Ok(None);
        };
        let choices: Vec<String> = serde_json::from_str(&question.choices).unwrap_or_default();
        let said = words.text.trim().trim_end_matches(['.', ')', '!']).trim();
        let picked = said.parse::<usize>().ok().and_then(|n| choices.get(n.checked_sub(1)?));
        let Some(picked) = picked else { return Ok(None) };
        let open = store.open_consultations(channel, &author.fingerprint, self.now).await?;
        let Some(one) = open.into_iter().find(|one| one.id == *picked) else { return Ok(None) };
        if store.answer_question(&question, self.reply.id, &one, self.now).await? {
            return Ok(Some("done"));
        }
        Ok(None)
    }

    async fn opinion(&self, words: &Words, author: &Author) -> Result<&'static str, InboxError> {
        if self.reply.channel != "web"
            && self.lately(author).await? > self.inbox.limits.messages_an_hour
        {
            let why = "more messages in an hour than one person writes";
            return self.held(words, Some(author), why, &[]).await;
        }
        match self.inbox.find(self.reply, words, &author.fingerprint, self.now).await? {
            Match::One(target) => {
                let mut read = self.read(words, Some(&target));
                read.acknowledge = self.may_answer(words, author).await?;
                if let Some(question) = question_of(&target.consultation.question) {
                    let pressed = words.choice.as_deref();
                    read.answer = super::chosen(&question, &words.text, pressed);
                    if let (Some(key), true) = (&read.answer, words.text.trim().is_empty()) {
                        let language = Language::new(&author.language);
                        read.text = super::choice::label(&question, key, &language);
                    }
                }
                read.amends = self.amends(words).await?;
                self.end(ReplyState::Matched, "matched", &read, &[]).await
            }
            Match::Several(open) => self.ask(words, author, &open).await,
            Match::None(why) => {
                let once = format!("held:{}", self.reply.id);
                let notice = Notice::Held { received_on: self.day() };
                let notices = if self.may_answer(words, author).await? {
                    vec![self.notice(notice, None, words, author, once)]
                } else {
                    Vec::new()
                };
                self.held(words, Some(author), &why, &notices).await
            }
        }
    }

    /// An edited chat message replaces what its first version said.
    async fn amends(&self, words: &Words) -> Result<Option<i64>, InboxError> {
        let (true, Some(reference)) = (words.edited, &self.reply.reference) else {
            return Ok(None);
        };
        let first = self.inbox.store.reply_as(&self.reply.channel, reference).await?;
        Ok(first.map(|first| first.id).filter(|id| *id != self.reply.id))
    }

    async fn ask(
        &self,
        words: &Words,
        author: &Author,
        open: &[OpenConsultation],
    ) -> Result<&'static str, InboxError> {
        let language = Language::new(&author.language);
        let items = open.iter().enumerate().map(|(position, one)| {
            let title: Texts = serde_json::from_str(&one.title).unwrap_or_default();
            ((position + 1).to_string(), title.best(&language).to_owned())
        });
        let notice = Notice::Choices { items: items.collect() };
        let once = format!("choices:{}", self.reply.id);
        let notices = [self.notice(notice, None, words, author, once)];
        let ids: Vec<&str> = open.iter().map(|one| one.id.as_str()).collect();
        let choices = serde_json::to_string(&ids).unwrap_or_default();
        let mut read = self.read(words, None);
        read.citizen = author.citizen.as_ref().map(|citizen| citizen.id);
        read.reason = Some("asked which consultation it is about".to_owned());
        read.acknowledge = true;
        self.inbox
            .store
            .settle_reply(
                self.reply.id,
                ReplyState::Held,
                &read,
                &notices,
                Some(&choices),
                self.now,
            )
            .await?;
        Ok("held")
    }

    /// A report on one of our own messages: a receipt like any provider's.
    async fn bounced(&self, words: &Words) -> Result<&'static str, InboxError> {
        let store = &self.inbox.store;
        let sent = self.inbox.named(self.reply, words).await?;
        let by_return_path =
            words.token.as_ref().is_some_and(|token| token.kind == TokenKind::Bounce);
        let Some(sent) = sent.filter(|_| by_return_path || !words.answers.is_empty()) else {
            return self.held(words, None, "a report on a message that is not known", &[]).await;
        };
        let mut read = self.read(words, None);
        read.delivery = Some(sent.delivery);
        read.citizen = sent.citizen;
        let complaint = words.class == "complaint";
        let reference = store.delivery(sent.delivery).await?.and_then(|row| row.reference);
        if complaint && let Some(fingerprint) = &sent.fingerprint {
            store.object("email", fingerprint, "complaint", None, self.now).await?;
        }
        let failed = words.bounces.iter().find(|bounce| bounce.action == Action::Failed);
        if let (Some(bounce), Some(reference), false) = (failed, reference, complaint) {
            let state = if bounce.suppress { "address_dead" } else { "failed" };
            let why = format!("bounced with status {}", bounce.status);
            store.store_receipt("email", &reference, state, &why, self.now).await?;
            self.inbox.bells.ring(crate::bus::Room::Receipts);
        }
        self.end(ReplyState::Done, "done", &read, &[]).await
    }

    async fn held(
        &self,
        words: &Words,
        author: Option<&Author>,
        why: &str,
        notices: &[NewNotice],
    ) -> Result<&'static str, InboxError> {
        let mut read = self.read(words, None);
        read.reason = Some(why.to_owned());
        read.citizen = author.and_then(|author| author.citizen.as_ref()).map(|citizen| citizen.id);
        self.end(ReplyState::Held, "held", &read, notices).await
    }

    async fn end(
        &self,
        state: ReplyState,
        name: &'static str,
        read: &ReadReply,
        notices: &[NewNotice],
    ) -> Result<&'static str, InboxError> {
        self.inbox.store.settle_reply(self.reply.id, state, read, notices, None, self.now).await?;
        Ok(name)
    }

    /// Robots are never answered, and nobody is without end.
    async fn may_answer(&self, words: &Words, author: &Author) -> Result<bool, InboxError> {
        if !words.acknowledge || self.reply.channel == "web" {
            return Ok(false);
        }
        Ok(self.lately(author).await? <= self.inbox.limits.receipts_an_hour)
    }

    /// Messages of this address in the last hour, this one included.
    async fn lately(&self, author: &Author) -> Result<i64, InboxError> {
        let (channel, since) = (&self.reply.channel, self.now - 3_600_000);
        Ok(self.inbox.store.replies_since(channel, &author.fingerprint, since).await?)
    }

    fn read(&self, words: &Words, target: Option<&Target>) -> ReadReply {
        ReadReply {
            class: words.class.clone(),
            reason: words.reason.clone(),
            text: Some(words.text.clone()),
            quoted: words.quoted.clone(),
            answer: None,
            language: words.language.clone(),
            message_id: words.message_id.clone(),
            acknowledge: words.acknowledge,
            event: target.and_then(|target| target.event),
            citizen: target.and_then(|target| target.citizen),
            delivery: target.and_then(|target| target.delivery),
            consultation: target.map(|target| target.consultation.id.clone()),
            amends: None,
        }
    }

    fn notice(
        &self,
        notice: Notice,
        consultation: Option<crate::model::event::Consultation>,
        words: &Words,
        author: &Author,
        once: String,
    ) -> NewNotice {
        let letter = Letter { notice, consultation, in_reply_to: words.message_id.clone() };
        NewNotice {
            citizen: author.citizen.as_ref().map(|citizen| citizen.id),
            channel: self.reply.channel.clone(),
            sealed: author.sealed.clone(),
            language: author.language.clone(),
            register: author
                .citizen
                .as_ref()
                .map_or_else(|| "standard".to_owned(), |citizen| citizen.register.clone()),
            notice: serde_json::to_string(&letter).unwrap_or_default(),
            once,
            due_at: self.now,
            deadline: None,
        }
    }

    fn left(&self, citizen: &CitizenRow) -> Option<NewOutgoing> {
        let channel: ChannelName =
            serde_json::from_value(self.reply.channel.clone().into()).ok()?;
        let data = CitizenData {
            pseudonym: citizen.pseudonym.clone(),
            channel,
            commune: Some(citizen.commune.clone()).filter(|code| !code.is_empty()),
        };
        let id = format!("left:{}:{}:{}", citizen.pseudonym, self.reply.channel, self.reply.id);
        let time = paris::instant(self.now);
        Some(NewOutgoing::event(OutgoingKind::CitizenLeft, &id, &self.inbox.source, time, &data))
    }

    fn day(&self) -> Date {
        paris::day(self.reply.received_at)
    }
}

/// A consultation's question, as its row keeps it.
pub(super) fn question_of(json: &Option<String>) -> Option<Question> {
    json.as_deref().and_then(|json| serde_json::from_str(json).ok())
}

//! What came in: stored raw and sealed first; then read, classified and matched.

use super::{Doing, Store, StoreResult, notices::NewNotice};

/// Raw and sealed: nothing of it can be read in the database.
#[derive(Debug, Clone)]
pub struct NewReply {
    pub channel: String,
    pub provider_id: String,
    /// Sealed address of the sender.
    pub sender: String,
    pub fingerprint: String,
    /// What it was sent to: a token's address, a short number, a bot.
    pub recipient: String,
    /// Sealed JSON of the [`portevoix_contract::Inbound`].
    pub sealed: String,
    pub reference: Option<String>,
    pub received_at: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReplyRow {
    pub id: i64,
    pub channel: String,
    pub provider_id: String,
    pub sender: String,
    pub fingerprint: String,
    pub recipient: String,
    pub sealed: String,
    pub state: String,
    pub class: Option<String>,
    pub reason: Option<String>,
    pub text: Option<String>,
    pub quoted: Option<String>,
    pub answer: Option<String>,
    pub language: Option<String>,
    pub message_id: Option<String>,
    pub reference: Option<String>,
    pub acknowledge: i64,
    pub event: Option<i64>,
    pub citizen: Option<i64>,
    pub delivery: Option<i64>,
    pub consultation: Option<String>,
    pub amends: Option<i64>,
    pub received_at: i64,
}

/// What reading and matching made of a reply.
#[derive(Debug, Clone, Default)]
pub struct ReadReply {
    pub class: String,
    pub reason: Option<String>,
    pub text: Option<String>,
    pub quoted: Option<String>,
    pub answer: Option<String>,
    pub language: Option<String>,
    pub message_id: Option<String>,
    pub acknowledge: bool,
    pub event: Option<i64>,
    pub citizen: Option<i64>,
    pub delivery: Option<i64>,
    pub consultation: Option<String>,
    /// The reply (internal id) whose contribution this one replaces.
    pub amends: Option<i64>,
}

/// Where a reply goes from `stored`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyState {
    /// Becomes a contribution.
    Matched,
    /// Waits for staff, with the reason.
    Held,
    /// Acted upon (STOP, a settled question …).
    Done,
    /// A robot's, an empty one: kept, nothing to do.
    Ignored,
}

impl ReplyState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Held => "held",
            Self::Done => "done",
            Self::Ignored => "ignored",
        }
    }
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct QuestionRow {
    pub id: i64,
    pub reply: i64,
    /// JSON array of what each number stands for.
    pub choices: String,
    pub asked_at: i64,
}

macro_rules! reply_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, channel, provider_id, sender, fingerprint, recipient, sealed, state, class, reason, \
             text, quoted, answer, language, message_id, reference, acknowledge, event, citizen, delivery, \
             consultation, amends, received_at FROM reply ",
            $rest
        )
    };
}

impl Store {
    /// False where this channel brought that provider id before.
    ///
    /// # Errors
    /// Where the database fails; the provider must then not be told "received".
    pub async fn store_reply(&self, new: &NewReply) -> StoreResult<bool> {
        Ok(sqlx::query(
            "INSERT INTO reply (channel, provider_id, sender, fingerprint, recipient, sealed, reference, \
               received_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
             ON CONFLICT (channel, provider_id) DO NOTHING",
        )
        .bind(&new.channel)
        .bind(&new.provider_id)
        .bind(&new.sender)
        .bind(&new.fingerprint)
        .bind(&new.recipient)
        .bind(&new.sealed)
        .bind(&new.reference)
        .bind(new.received_at)
        .execute(&self.write)
        .await
        .doing("store a reply")?
        .rows_affected()
            == 1)
    }

    /// Replies in a state that something is still to be done about (`stored`, `matched`, `held`),
    /// oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replies_in(&self, state: &str, limit: i64) -> StoreResult<Vec<ReplyRow>> {
        // the second condition is the index' own: SQLite uses it for nothing less
        sqlx::query_as(reply_columns!(
            "WHERE state = $1 AND state IN ('stored', 'matched', 'held') ORDER BY id LIMIT $2"
        ))
        .bind(state)
        .bind(limit)
        .fetch_all(&self.write)
        .await
        .doing("read replies")
    }

    /// How many replies wait for staff.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn count_held(&self) -> StoreResult<i64> {
        let (count,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM reply WHERE state = 'held' AND state IN ('stored', 'matched', 'held')",
        )
            .fetch_one(&self.read)
            .await
            .doing("count held replies")?;
        Ok(count)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn reply(&self, id: i64) -> StoreResult<Option<ReplyRow>> {
        sqlx::query_as(reply_columns!("WHERE id = $1"))
            .bind(id)
            .fetch_optional(&self.read)
            .await
            .doing("read a reply")
    }

    /// The first reply that carried this reference (an edit names what it edits).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reply_as(&self, channel: &str, reference: &str) -> StoreResult<Option<ReplyRow>> {
        sqlx::query_as(reply_columns!("WHERE channel = $1 AND reference = $2 ORDER BY id LIMIT 1"))
            .bind(channel)
            .bind(reference)
            .fetch_optional(&self.write)
            .await
            .doing("look a reply up")
    }

    /// Moves a reply out of `stored`, with the notices and the question that go with it, in one
    /// transaction. False where another process did first.
    ///
    /// # Errors
    /// Where the database fails; nothing changes then.
    pub async fn settle_reply(
        &self,
        id: i64,
        to: ReplyState,
        read: &ReadReply,
        notices: &[NewNotice],
        question: Option<&str>,
        now: i64,
    ) -> StoreResult<bool> {
        let doing = "settle a reply";
        let mut tx = self.begin().await?;
        let moved: Option<(String, String)> = sqlx::query_as(
            "UPDATE reply SET state = $2, class = $3, reason = $4, text = $5, quoted = $6, answer = $7, \
               language = $8, message_id = $9, acknowledge = $10, event = $11, citizen = $12, delivery = $13, \
               consultation = $14, amends = $15, updated_at = $16 \
             WHERE id = $1 AND state IN ('stored', 'held') RETURNING channel, fingerprint",
        )
        .bind(id)
        .bind(to.as_str())
        .bind(&read.class)
        .bind(&read.reason)
        .bind(&read.text)
        .bind(&read.quoted)
        .bind(&read.answer)
        .bind(&read.language)
        .bind(&read.message_id)
        .bind(i64::from(read.acknowledge))
        .bind(read.event)
        .bind(read.citizen)
        .bind(read.delivery)
        .bind(&read.consultation)
        .bind(read.amends)
        .bind(now)
        .fetch_optional(&mut *tx)
        .await
        .doing(doing)?;
        let Some((channel, fingerprint)) = moved else { return Ok(false) };
        for notice in notices {
            super::notices::insert(&mut tx, notice).await?;
        }
        if let Some(choices) = question {
            sqlx::query(
                "INSERT INTO question (channel, fingerprint, reply, choices, asked_at) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(channel)
            .bind(fingerprint)
            .bind(id)
            .bind(choices)
            .bind(now)
            .execute(&mut *tx)
            .await
            .doing(doing)?;
        }
        tx.commit().await.doing(doing)?;
        Ok(true)
    }

    /// The newest question to this address that has no answer yet and was asked after `since`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_question(
        &self,
        channel: &str,
        fingerprint: &str,
        since: i64,
    ) -> StoreResult<Option<QuestionRow>> {
        sqlx::query_as(
            "SELECT id, reply, choices, asked_at FROM question WHERE channel = $1 AND fingerprint = $2 \
             AND answered_at IS NULL AND asked_at > $3 ORDER BY id DESC LIMIT 1",
        )
        .bind(channel)
        .bind(fingerprint)
        .bind(since)
        .fetch_optional(&self.write)
        .await
        .doing("look for a question")
    }

    /// Settles a question with the answer in `by`: the reply it was about becomes a match. One
    /// transaction.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn answer_question(
        &self,
        question: &QuestionRow,
        by: i64,
        consultation: &super::OpenConsultation,
        now: i64,
    ) -> StoreResult<bool> {
        let doing = "settle a question";
        let mut tx = self.begin().await?;
        let mine = sqlx::query(
            "UPDATE question SET answered_at = $2 WHERE id = $1 AND answered_at IS NULL",
        )
        .bind(question.id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .doing(doing)?
        .rows_affected();
        sqlx::query(
            "UPDATE reply SET state = 'done', class = 'reply', reason = 'answers a question back', updated_at = $2 \
             WHERE id = $1 AND state = 'stored'",
        )
        .bind(by)
        .bind(now)
        .execute(&mut *tx)
        .await
        .doing(doing)?;
        if mine == 1 {
            sqlx::query(
                "UPDATE reply SET state = 'matched', consultation = $2, event = $3, citizen = $4, delivery = $5, \
                   reason = 'the citizen said which', updated_at = $6 WHERE id = $1 AND state = 'held'",
            )
            .bind(question.reply)
            .bind(&consultation.id)
            .bind(consultation.event)
            .bind(consultation.citizen)
            .bind(consultation.delivery)
            .bind(now)
            .execute(&mut *tx)
            .await
            .doing(doing)?;
        }
        tx.commit().await.doing(doing)?;
        Ok(mine == 1)
    }

    /// A match that led nowhere waits for staff after all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn hold_reply(&self, id: i64, reason: &str, now: i64) -> StoreResult<()> {
        sqlx::query(
            "UPDATE reply SET state = 'held', reason = $2, updated_at = $3 WHERE id = $1 AND state = 'matched'",
        )
        .bind(id)
        .bind(reason)
        .bind(now)
        .execute(&self.write)
        .await
        .doing("hold a reply")?;
        Ok(())
    }

    /// Staff's decision on a held reply: assigned to a consultation, or rejected with a reason.
    /// False where it is not held any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn decide_reply(
        &self,
        id: i64,
        consultation: Option<&str>,
        reason: &str,
        now: i64,
    ) -> StoreResult<bool> {
        let state = if consultation.is_some() { "matched" } else { "rejected" };
        Ok(sqlx::query(
            "UPDATE reply SET state = $2, consultation = COALESCE($3, consultation), reason = $4, updated_at = $5 \
             WHERE id = $1 AND state = 'held'",
        )
        .bind(id)
        .bind(state)
        .bind(consultation)
        .bind(reason)
        .bind(now)
        .execute(&self.write)
        .await
        .doing("decide on a held reply")?
        .rows_affected()
            == 1)
    }
}

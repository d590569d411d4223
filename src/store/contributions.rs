//! Contributions: replies that found their consultation.

use super::{Doing, Store, StoreResult, notices::NewNotice, outgoing::NewOutgoing};

#[derive(Debug, Clone)]
pub struct NewContribution {
    pub id: String,
    /// What the receipt names.
    pub number: String,
    pub consultation: String,
    pub event: Option<i64>,
    pub citizen: Option<i64>,
    /// Pseudonym, used where this citizen has none for this consultation yet.
    pub author: String,
    pub channel: String,
    pub language: String,
    pub text: String,
    pub answer: Option<String>,
    /// JSON array.
    pub attachments: String,
    pub reply: Option<i64>,
    pub received_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ContributionRow {
    pub id: String,
    pub number: String,
    pub consultation: String,
    pub event: Option<i64>,
    pub citizen: Option<i64>,
    pub author: String,
    pub channel: String,
    pub language: String,
    pub text: String,
    pub answer: Option<String>,
    pub attachments: String,
    pub state: String,
    pub received_at: i64,
    pub updated_at: i64,
}

/// Where a page of contributions starts: after this instant and id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub received_at: i64,
    pub id: String,
    pub limit: i64,
}

macro_rules! contribution_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, number, consultation, event, citizen, author, channel, language, text, answer, \
             attachments, state, received_at, updated_at FROM contribution ",
            $rest
        )
    };
}

impl Store {
    /// The author's pseudonym in a consultation: the one given, unless there is one already.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn author(
        &self,
        citizen: i64,
        consultation: &str,
        pseudonym: &str,
    ) -> StoreResult<String> {
        let (pseudonym,): (String,) = sqlx::query_as(
            "INSERT INTO author (citizen, consultation, pseudonym) VALUES ($1, $2, $3) \
             ON CONFLICT (citizen, consultation) DO UPDATE SET consultation = excluded.consultation \
             RETURNING pseudonym",
        )
        .bind(citizen)
        .bind(consultation)
        .bind(pseudonym)
        .fetch_one(&self.write)
        .await
        .doing("find the author's pseudonym")?;
        Ok(pseudonym)
    }

    /// Writes a contribution, its row for the bus and its receipt, and ends the reply, in one
    /// transaction. False where that reply has its contribution already.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    pub async fn add_contribution(
        &self,
        new: &NewContribution,
        outgoing: &NewOutgoing,
        receipt: Option<&NewNotice>,
        now: i64,
    ) -> StoreResult<bool> {
        let doing = "write a contribution";
        let mut tx = self.begin().await?;
        let written = sqlx::query(
            "INSERT INTO contribution (id, number, consultation, event, citizen, author, channel, language, text, \
               answer, attachments, reply, received_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (reply) DO NOTHING",
        )
        .bind(&new.id)
        .bind(&new.number)
        .bind(&new.consultation)
        .bind(new.event)
        .bind(new.citizen)
        .bind(&new.author)
        .bind(&new.channel)
        .bind(&new.language)
        .bind(&new.text)
        .bind(&new.answer)
        .bind(&new.attachments)
        .bind(new.reply)
        .bind(new.received_at)
        .bind(now)
        .execute(&mut *tx)
        .await
        .doing(doing)?
        .rows_affected()
            == 1;
        if written {
            super::outgoing::insert(&mut tx, outgoing).await?;
            if let Some(receipt) = receipt {
                super::notices::insert(&mut tx, receipt).await?;
            }
        }
        if let Some(reply) = new.reply {
            end_reply(&mut tx, reply, now).await?;
        }
        tx.commit().await.doing(doing)?;
        Ok(written)
    }

    /// Changes a contribution (`amended` with a new text, or `withdrawn`) and ends the reply that
    /// asked for it, in one transaction. False where it had been withdrawn before.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    #[expect(clippy::too_many_arguments, reason = "one change, named field by field")]
    pub async fn change_contribution(
        &self,
        id: &str,
        state: &str,
        text: &str,
        answer: Option<&str>,
        reply: i64,
        outgoing: &NewOutgoing,
        receipt: Option<&NewNotice>,
        now: i64,
    ) -> StoreResult<bool> {
        let doing = "change a contribution";
        let mut tx = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE contribution SET state = $2, text = $3, answer = $4, updated_at = $5 \
             WHERE id = $1 AND state <> 'withdrawn'",
        )
        .bind(id)
        .bind(state)
        .bind(text)
        .bind(answer)
        .bind(now)
        .execute(&mut *tx)
        .await
        .doing(doing)?
        .rows_affected()
            == 1;
        if changed {
            super::outgoing::insert(&mut tx, outgoing).await?;
            if let Some(receipt) = receipt {
                super::notices::insert(&mut tx, receipt).await?;
            }
        }
        end_reply(&mut tx, reply, now).await?;
        tx.commit().await.doing(doing)?;
        Ok(changed)
    }

    /// The contribution that a reply became.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn contribution_of_reply(&self, reply: i64) -> StoreResult<Option<ContributionRow>> {
        sqlx::query_as(contribution_columns!("WHERE reply = $1"))
            .bind(reply)
            .fetch_optional(&self.write)
            .await
            .doing("read a contribution")
    }

    /// A citizen's newest standing contribution to a consultation.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_contribution(
        &self,
        citizen: i64,
        consultation: &str,
    ) -> StoreResult<Option<ContributionRow>> {
        sqlx::query_as(contribution_columns!(
            "WHERE citizen = $1 AND consultation = $2 AND state <> 'withdrawn' \
             ORDER BY received_at DESC, id DESC LIMIT 1"
        ))
        .bind(citizen)
        .bind(consultation)
        .fetch_optional(&self.write)
        .await
        .doing("read a contribution")
    }

    /// A page in the order received; `consultation` empty: all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn contributions_page(
        &self,
        consultation: &str,
        page: &Page,
    ) -> StoreResult<Vec<ContributionRow>> {
        // two texts: neither database finds an index through `$1 = '' OR …`
        let text = if consultation.is_empty() {
            contribution_columns!(
                "WHERE $1 = '' AND (received_at, id) > ($2, $3) ORDER BY received_at, id LIMIT $4"
            )
        } else {
            contribution_columns!(
                "WHERE consultation = $1 AND (received_at, id) > ($2, $3) \
                 ORDER BY received_at, id LIMIT $4"
            )
        };
        sqlx::query_as(text)
            .bind(consultation)
            .bind(page.received_at)
            .bind(&page.id)
            .bind(page.limit)
            .fetch_all(&self.read)
            .await
            .doing("list contributions")
    }

    /// The newest contributions in answer to one event (internal id).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn contributions_of_event(
        &self,
        event: i64,
        limit: i64,
    ) -> StoreResult<Vec<ContributionRow>> {
        sqlx::query_as(contribution_columns!(
            "WHERE event = $1 ORDER BY received_at DESC, id DESC LIMIT $2"
        ))
        .bind(event)
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .doing("list contributions")
    }

    /// The newest contributions first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn latest_contributions(
        &self,
        consultation: &str,
        limit: i64,
    ) -> StoreResult<Vec<ContributionRow>> {
        let text = if consultation.is_empty() {
            contribution_columns!("WHERE $1 = '' ORDER BY received_at DESC, id DESC LIMIT $2")
        } else {
            contribution_columns!(
                "WHERE consultation = $1 ORDER BY received_at DESC, id DESC LIMIT $2"
            )
        };
        sqlx::query_as(text)
            .bind(consultation)
            .bind(limit)
            .fetch_all(&self.read)
            .await
            .doing("list contributions")
    }
}

async fn end_reply(
    tx: &mut sqlx::Transaction<'static, sqlx::Any>,
    reply: i64,
    now: i64,
) -> StoreResult<()> {
    sqlx::query(
        "UPDATE reply SET state = 'done', updated_at = $2 WHERE id = $1 AND state = 'matched'",
    )
    .bind(reply)
    .bind(now)
    .execute(&mut **tx)
    .await
    .doing("end a reply")?;
    Ok(())
}

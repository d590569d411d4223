//! What events are about. A consultation's phase only moves forward.

use sqlx::{Any, Transaction};

use crate::model::{event::Consultation, paris};

use super::{Doing, Store, StoreResult};

#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct ConsultationRow {
    pub id: String,
    /// JSON object, language → title.
    pub title: String,
    pub url: Option<String>,
    /// Epoch ms of the first and the last instant (Europe/Paris days).
    pub opens: Option<i64>,
    pub closes: Option<i64>,
    /// JSON object.
    pub contact: Option<String>,
    /// JSON object.
    pub question: Option<String>,
    pub phase: i64,
    /// 1 once an event has asked for opinions.
    pub accepts: i64,
    pub updated_at: i64,
}

impl ConsultationRow {
    /// The noun that notices and pages name.
    #[must_use]
    pub fn noun(&self) -> Consultation {
        Consultation {
            id: self.id.clone(),
            title: serde_json::from_str(&self.title).unwrap_or_default(),
            url: self.url.clone(),
            opens: self.opens.map(paris::day),
            // the row keeps the first instant after the last day
            closes: self.closes.map(|end| paris::day(end - 1)),
            contact: self.contact.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        }
    }
}

/// A consultation that a person was written to about and can still answer.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OpenConsultation {
    pub id: String,
    pub title: String,
    pub question: Option<String>,
    /// The newest delivery to that address about it.
    pub delivery: i64,
    pub event: i64,
    pub citizen: i64,
}

pub(super) async fn upsert(
    tx: &mut Transaction<'static, Any>,
    row: &ConsultationRow,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO consultation (id, title, url, opens, closes, contact, question, phase, accepts, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET \
         title = excluded.title, url = COALESCE(excluded.url, consultation.url), \
         opens = COALESCE(excluded.opens, consultation.opens), \
         closes = COALESCE(excluded.closes, consultation.closes), \
         contact = COALESCE(excluded.contact, consultation.contact), \
         question = COALESCE(excluded.question, consultation.question), \
         phase = CASE WHEN excluded.phase > consultation.phase THEN excluded.phase ELSE consultation.phase END, \
         accepts = CASE WHEN excluded.accepts > consultation.accepts THEN excluded.accepts ELSE consultation.accepts END, \
         updated_at = excluded.updated_at",
    )
    .bind(&row.id)
    .bind(&row.title)
    .bind(&row.url)
    .bind(row.opens)
    .bind(row.closes)
    .bind(&row.contact)
    .bind(&row.question)
    .bind(row.phase)
    .bind(row.accepts)
    .bind(row.updated_at)
    .execute(&mut **tx)
    .await
    .doing("store a consultation")?;
    Ok(())
}

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn consultation(&self, id: &str) -> StoreResult<Option<ConsultationRow>> {
        sqlx::query_as(
            "SELECT id, title, url, opens, closes, contact, question, phase, accepts, updated_at \
             FROM consultation WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.read)
        .await
        .doing("read a consultation")
    }

    /// The consultations that were spoken of last, first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn latest_consultations(&self, limit: i64) -> StoreResult<Vec<ConsultationRow>> {
        sqlx::query_as(
            "SELECT id, title, url, opens, closes, contact, question, phase, accepts, updated_at \
             FROM consultation ORDER BY updated_at DESC, id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .doing("list consultations")
    }

    /// The consultations that this address was written to about and that take opinions at `now`
    /// (a day of grace after the end: what was written in time may arrive late), newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_consultations(
        &self,
        channel: &str,
        fingerprint: &str,
        now: i64,
    ) -> StoreResult<Vec<OpenConsultation>> {
        const GRACE_MS: i64 = 24 * 3_600_000;
        sqlx::query_as(
            "SELECT c.id, c.title, c.question, last.delivery, d.event, d.citizen FROM ( \
               SELECT e.consultation, MAX(d.id) AS delivery FROM address a \
               JOIN delivery d ON d.citizen = a.citizen AND d.address = a.id \
               JOIN event e ON e.id = d.event \
               WHERE a.channel = $1 AND a.fingerprint = $2 AND d.state IN ('claimed', 'sent', 'delivered') \
               GROUP BY e.consultation) last \
             JOIN consultation c ON c.id = last.consultation JOIN delivery d ON d.id = last.delivery \
             WHERE c.accepts = 1 AND c.phase < 4 AND (c.closes IS NULL OR c.closes > $3) \
             ORDER BY last.delivery DESC",
        )
        .bind(channel)
        .bind(fingerprint)
        .bind(now - GRACE_MS)
        .fetch_all(&self.read)
        .await
        .doing("look for open consultations")
    }
}

//! Who gets an event: one `INSERT … SELECT`, however many citizens.

use super::{Dialect, Doing, Store, StoreResult, json_list, sql};

/// Which citizens an event concerns, before communes, themes and groups narrow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Subscribers, narrowed by the event's audience.
    Audience,
    /// The audience, less those who have contributed.
    NotAnswered,
    /// The audience and all contributors.
    AudienceAndContributors,
    /// Contributors only, whatever the audience says.
    Contributors,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub event: i64,
    pub consultation: String,
    pub who: Who,
    /// Empty: does not restrict.
    pub communes: Vec<String>,
    pub themes: Vec<String>,
    pub groups: Vec<String>,
    pub now: i64,
    pub deadline: Option<i64>,
    /// When the next daily and weekly rounds go out (epoch ms).
    pub daily_at: i64,
    pub weekly_at: i64,
    /// Register `plain` waits until then for a text written by a person.
    pub plain_waits_until: i64,
    /// Languages whose readers of plain texts need not wait; none: nobody waits.
    pub plain_languages: Option<Vec<String>>,
}

/// Reason of a delivery that waits for its plain text.
pub const AWAITS_PLAIN: &str = "awaits plain text";

impl Store {
    /// Plans an event's deliveries and its count in one transaction; none where another machine
    /// planned it first. Each citizen gets one delivery, on the first active channel of their own
    /// order; children under 15 and people without an active address get none.
    ///
    /// # Errors
    /// Where the database fails; nothing is planned then.
    pub async fn plan_event(&self, plan: &Plan) -> StoreResult<Option<u64>> {
        let doing = "plan an event's deliveries";
        let mut tx = self.begin().await?;
        let mine = sqlx::query(
            "UPDATE event SET state = 'planned', planned_at = $2 WHERE id = $1 AND state = 'received'",
        )
        .bind(plan.event)
        .bind(plan.now)
        .execute(&mut *tx)
        .await
        .doing(doing)?
        .rows_affected();
        if mine == 0 {
            return Ok(None);
        }
        let planned = sqlx::query(sql(statement(self.dialect, plan.who)))
            .bind(plan.event)
            .bind(plan.now)
            .bind(plan.deadline)
            .bind(plan.daily_at)
            .bind(plan.weekly_at)
            .bind(plan.plain_waits_until)
            .bind(json_list(&plan.communes))
            .bind(json_list(&plan.themes))
            .bind(json_list(&plan.groups))
            .bind(&plan.consultation)
            .bind(plan.plain_languages.as_ref().map(|languages| json_list(languages)))
            .execute(&mut *tx)
            .await
            .doing(doing)?
            .rows_affected();
        sqlx::query("UPDATE event SET planned = $2 WHERE id = $1")
            .bind(plan.event)
            .bind(planned.cast_signed())
            .execute(&mut *tx)
            .await
            .doing(doing)?;
        tx.commit().await.doing(doing)?;
        if self.dialect == Dialect::Postgres && planned > 1_000 {
            // without statistics the claim is planned as a scan: 63-350 ms instead of 12
            sqlx::query("ANALYZE delivery")
                .execute(&self.write)
                .await
                .doing("analyse deliveries")?;
        }
        Ok(Some(planned))
    }
}

fn statement(dialect: Dialect, who: Who) -> String {
    let contributed = "EXISTS (SELECT 1 FROM contribution k WHERE k.citizen = c.id \
                       AND k.consultation = $10 AND k.state <> 'withdrawn')";
    let audience = format!(
        "($7 = '[]' OR c.commune IN {communes}) \
         AND ($8 = '[]' OR EXISTS (SELECT 1 FROM citizen_theme t WHERE t.citizen = c.id AND t.theme IN {themes})) \
         AND ($9 = '[]' OR EXISTS (SELECT 1 FROM citizen_group g WHERE g.citizen = c.id AND g.name IN {groups}))",
        communes = dialect.texts(7),
        themes = dialect.texts(8),
        groups = dialect.texts(9),
    );
    let waits = format!(
        "c.register = 'plain' AND CAST($11 AS TEXT) IS NOT NULL AND c.language NOT IN {}",
        dialect.texts(11)
    );
    let rule = match who {
        Who::Audience => format!("{audience} AND $10 IS NOT NULL"),
        Who::NotAnswered => format!("{audience} AND NOT {contributed}"),
        Who::AudienceAndContributors => format!("(({audience}) OR {contributed})"),
        Who::Contributors => format!("{contributed} AND $7 || $8 || $9 IS NOT NULL"),
    };
    format!(
        "INSERT INTO delivery (event, citizen, step, address, channel, language, register, priority, \
           state, due_at, deadline, reason, updated_at) \
         SELECT CAST($1 AS BIGINT), c.id, 1, a.id, a.channel, c.language, c.register, 5, 'pending', \
           CASE WHEN {waits} THEN CAST($6 AS BIGINT) \
                WHEN c.frequency = 'daily' THEN CAST($4 AS BIGINT) \
                WHEN c.frequency = 'weekly' THEN CAST($5 AS BIGINT) ELSE CAST($2 AS BIGINT) END, \
           CAST($3 AS BIGINT), \
           CASE WHEN {waits} THEN '{AWAITS_PLAIN}' \
                WHEN c.frequency <> 'immediate' THEN 'waits for the ' || c.frequency || ' round' END, \
           CAST($2 AS BIGINT) \
         FROM citizen c JOIN address a ON a.citizen = c.id AND a.state = 'active' \
         WHERE c.age_band <> 'under15' \
           AND NOT EXISTS (SELECT 1 FROM address b WHERE b.citizen = c.id AND b.state = 'active' \
             AND (b.place < a.place OR (b.place = a.place AND b.id < a.id))) \
           AND {rule} \
         ON CONFLICT (event, citizen, step) DO NOTHING"
    )
}

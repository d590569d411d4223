//! Registering citizens with their consent: by import and through the API.

use sqlx::{Any, Transaction};

use super::{Dialect, Doing, Store, StoreResult, outgoing::NewOutgoing};

/// One way to reach a citizen, already sealed.
#[derive(Debug, Clone)]
pub struct NewAddress {
    pub channel: String,
    pub sealed: String,
    pub fingerprint: String,
    /// Place in the citizen's own order, from 1.
    pub place: i64,
}

#[derive(Debug, Clone)]
pub struct NewCitizen {
    /// Used where the citizen is new.
    pub pseudonym: String,
    pub external_id: Option<String>,
    /// Sealed.
    pub first_name: Option<String>,
    pub commune: String,
    pub language: String,
    pub register: String,
    pub frequency: String,
    pub age_band: String,
    pub addresses: Vec<NewAddress>,
    pub themes: Vec<String>,
    pub groups: Vec<String>,
    pub consent_at: i64,
    pub consent_source: String,
    /// Who writes this: `import`, a token's name …
    pub actor: String,
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    pub id: i64,
    pub pseudonym: String,
    pub new: bool,
    /// Channels that stay closed: the person objected after the consent that was given.
    pub objected: Vec<String>,
}

/// Why a registration was refused; nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the {0} address belongs to another subscriber")]
    AddressTaken(String),
    #[error("the addresses belong to two different subscribers")]
    TwoCitizens,
}

impl Store {
    /// Registers or updates a batch in one transaction; each refusal concerns its row alone.
    /// A citizen is known by external id, else by an address. What comes replaces what was.
    ///
    /// # Errors
    /// Where the database fails; nothing of the batch is written then.
    pub async fn register(
        &self,
        batch: &[NewCitizen],
        joined: &(dyn Fn(&NewCitizen, &str) -> NewOutgoing + Sync),
        now: i64,
    ) -> StoreResult<Vec<Result<Registered, Refusal>>> {
        let mut tx = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            // who holds an address is read before it is written: two at once could both find
            // nobody. SQLite has one writer.
            sqlx::query("SELECT CAST(pg_advisory_xact_lock(1, 1) AS TEXT)")
                .execute(&mut *tx)
                .await
                .doing("wait for another registration")?;
        }
        let mut results = Vec::with_capacity(batch.len());
        for new in batch {
            let result = register_one(&mut tx, new, now).await?;
            if let Ok(done) = &result
                && done.new
            {
                super::outgoing::insert(&mut tx, &joined(new, &done.pseudonym)).await?;
            }
            results.push(result);
        }
        tx.commit().await.doing("register citizens")?;
        Ok(results)
    }
}

async fn register_one(
    tx: &mut Transaction<'static, Any>,
    new: &NewCitizen,
    now: i64,
) -> StoreResult<Result<Registered, Refusal>> {
    let existing = match known_as(tx, new).await? {
        Ok(existing) => existing,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (id, pseudonym) = write_citizen(tx, new, existing.as_ref(), now).await?;
    let mut objected = Vec::new();
    for address in &new.addresses {
        if !write_address(tx, id, &pseudonym, address, new, now).await? {
            objected.push(address.channel.clone());
        }
    }
    for (table, values) in [
        ("citizen_theme (citizen, theme)", &new.themes),
        ("citizen_group (citizen, name)", &new.groups),
    ] {
        let bare = table.split(' ').next().unwrap_or_default();
        if existing.is_some() {
            sqlx::query(super::sql(format!("DELETE FROM {bare} WHERE citizen = $1")))
                .bind(id)
                .execute(&mut **tx)
                .await
                .doing("replace interests")?;
        }
        for value in values {
            sqlx::query(super::sql(format!(
                "INSERT INTO {table} VALUES ($1, $2) ON CONFLICT DO NOTHING"
            )))
            .bind(id)
            .bind(value)
            .execute(&mut **tx)
            .await
            .doing("write interests")?;
        }
    }
    Ok(Ok(Registered { id, pseudonym, new: existing.is_none(), objected }))
}

async fn known_as(
    tx: &mut Transaction<'static, Any>,
    new: &NewCitizen,
) -> StoreResult<Result<Option<(i64, String)>, Refusal>> {
    let doing = "look a citizen up";
    let mut known: Option<(i64, String)> = None;
    if let Some(external) = &new.external_id {
        known = sqlx::query_as("SELECT id, pseudonym FROM citizen WHERE external_id = $1")
            .bind(external)
            .fetch_optional(&mut **tx)
            .await
            .doing(doing)?;
    }
    for address in &new.addresses {
        let holder: Option<(i64, String, Option<String>)> = sqlx::query_as(
            "SELECT c.id, c.pseudonym, c.external_id FROM address a JOIN citizen c ON c.id = a.citizen \
             WHERE a.channel = $1 AND a.fingerprint = $2",
        )
        .bind(&address.channel)
        .bind(&address.fingerprint)
        .fetch_optional(&mut **tx)
        .await
        .doing(doing)?;
        let Some((id, pseudonym, external)) = holder else { continue };
        match &known {
            Some((known, _)) if *known == id => {}
            Some(_) if new.external_id.is_some() => {
                return Ok(Err(Refusal::AddressTaken(address.channel.clone())));
            }
            Some(_) => return Ok(Err(Refusal::TwoCitizens)),
            None if new.external_id.is_some() && external.is_some() => {
                return Ok(Err(Refusal::AddressTaken(address.channel.clone())));
            }
            None => known = Some((id, pseudonym)),
        }
    }
    Ok(Ok(known))
}

async fn write_citizen(
    tx: &mut Transaction<'static, Any>,
    new: &NewCitizen,
    existing: Option<&(i64, String)>,
    now: i64,
) -> StoreResult<(i64, String)> {
    let doing = "write a citizen";
    if let Some((id, pseudonym)) = existing {
        sqlx::query(
            "UPDATE citizen SET external_id = COALESCE($2, external_id), first_name = COALESCE($3, first_name), \
               commune = $4, language = $5, register = $6, frequency = $7, age_band = $8, updated_at = $9 \
             WHERE id = $1",
        )
        .bind(*id)
        .bind(&new.external_id)
        .bind(&new.first_name)
        .bind(&new.commune)
        .bind(&new.language)
        .bind(&new.register)
        .bind(&new.frequency)
        .bind(&new.age_band)
        .bind(now)
        .execute(&mut **tx)
        .await
        .doing(doing)?;
        return Ok((*id, pseudonym.clone()));
    }
    let (id,): (i64,) = sqlx::query_as(
        "INSERT INTO citizen (pseudonym, external_id, first_name, commune, language, register, frequency, \
           age_band, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING id",
    )
    .bind(&new.pseudonym)
    .bind(&new.external_id)
    .bind(&new.first_name)
    .bind(&new.commune)
    .bind(&new.language)
    .bind(&new.register)
    .bind(&new.frequency)
    .bind(&new.age_band)
    .bind(now)
    .fetch_one(&mut **tx)
    .await
    .doing(doing)?;
    Ok((id, new.pseudonym.clone()))
}

/// False where the person objected to this address after the consent that was given.
async fn write_address(
    tx: &mut Transaction<'static, Any>,
    citizen: i64,
    pseudonym: &str,
    address: &NewAddress,
    new: &NewCitizen,
    now: i64,
) -> StoreResult<bool> {
    let doing = "write an address";
    let objection: Option<(i64, String)> = sqlx::query_as(
        "SELECT at, reason FROM suppression WHERE channel = $1 AND fingerprint = $2",
    )
    .bind(&address.channel)
    .bind(&address.fingerprint)
    .fetch_optional(&mut **tx)
    .await
    .doing(doing)?;
    let open = objection.as_ref().is_none_or(|(at, _)| *at < new.consent_at);
    if open && objection.is_some() {
        sqlx::query("DELETE FROM suppression WHERE channel = $1 AND fingerprint = $2")
            .bind(&address.channel)
            .bind(&address.fingerprint)
            .execute(&mut **tx)
            .await
            .doing(doing)?;
    }
    let state = if open { "active" } else { "suppressed" };
    let reason = objection.filter(|_| !open).map(|(_, reason)| reason);
    // the citizen's former address of this channel gives way; one that died stays dead unless a
    // newer consent says otherwise
    sqlx::query("DELETE FROM address WHERE citizen = $1 AND channel = $2 AND fingerprint <> $3")
        .bind(citizen)
        .bind(&address.channel)
        .bind(&address.fingerprint)
        .execute(&mut **tx)
        .await
        .doing(doing)?;
    sqlx::query(
        "INSERT INTO address (citizen, channel, sealed, fingerprint, place, state, reason, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel, fingerprint) DO UPDATE SET \
         place = excluded.place, \
         changed_at = CASE WHEN address.state = excluded.state OR (address.state = 'suppressed' AND address.changed_at >= $9) \
           THEN address.changed_at ELSE excluded.changed_at END, \
         state = CASE WHEN address.state = 'suppressed' AND address.changed_at >= $9 THEN address.state ELSE excluded.state END, \
         reason = CASE WHEN address.state = 'suppressed' AND address.changed_at >= $9 THEN address.reason ELSE excluded.reason END",
    )
    .bind(citizen)
    .bind(&address.channel)
    .bind(&address.sealed)
    .bind(&address.fingerprint)
    .bind(address.place)
    .bind(state)
    .bind(reason)
    .bind(now)
    .bind(new.consent_at)
    .execute(&mut **tx)
    .await
    .doing(doing)?;
    if open {
        sqlx::query(
            "INSERT INTO consent (pseudonym, channel, purpose, action, source, language, actor, at, recorded_at) \
             SELECT $1, $2, 'information', 'given', $3, $4, $5, $6, $7 WHERE NOT EXISTS \
               (SELECT 1 FROM consent WHERE pseudonym = $1 AND channel = $2 AND action = 'given' AND at = $6)",
        )
        .bind(pseudonym)
        .bind(&address.channel)
        .bind(&new.consent_source)
        .bind(&new.language)
        .bind(&new.actor)
        .bind(new.consent_at)
        .bind(now)
        .execute(&mut **tx)
        .await
        .doing(doing)?;
    }
    Ok(open)
}

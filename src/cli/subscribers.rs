//! `subscribers import · export · erase`.

use std::{io::Write, path::PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::{Ended, Wrong};
use crate::{
    app::House,
    audience::subscribing,
    config::Settings,
    contributions::anonymised,
    model::{
        event::Problem,
        paris,
        subscriber::{self, FIELDS, SubscriberRecord},
    },
    store::{AddressRow, CitizenRow, NewCitizen},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Registers citizens with their consent; bad rows are reported, good ones kept
    Import {
        /// UTF-8, a header row, `,` or `;`
        file: PathBuf,
    },
    /// Writes all citizens as CSV to standard output
    Export,
    /// Erases a citizen, by pseudonym or external id
    Erase { id: String },
}

/// Rows registered in one transaction.
const BATCH: usize = 500;

pub(super) async fn run(settings: Settings, command: Command) -> anyhow::Result<Ended> {
    let house = House::open(settings, &CancellationToken::new()).await?;
    match command {
        Command::Import { file } => import(&house, &file).await,
        Command::Export => export(&house).await,
        Command::Erase { id } => erase(&house, &id).await,
    }
}

/// A row on its way, with where it stands in the file.
struct Row {
    line: u64,
    citizen: NewCitizen,
}

#[derive(Default)]
struct Tally {
    new: u64,
    updated: u64,
    bad: u64,
    objected: u64,
}

async fn import(house: &House, file: &std::path::Path) -> anyhow::Result<Ended> {
    let shown = file.display().to_string();
    let source = std::fs::File::open(file).with_context(|| format!("failed to read {shown}"))?;
    let length = source.metadata().map(|meta| meta.len()).unwrap_or_default();
    let (delimiter, crlf) = form(file)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(source);
    let header = reader.byte_headers().with_context(|| format!("failed to read {shown}"))?;
    let header: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').to_owned())
        .collect();
    check_header(&header, &shown)?;
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left")?);
    let (mut tally, mut batch) = (Tally::default(), Vec::with_capacity(BATCH));
    let mut record = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                tally.bad += 1;
                bar.suspend(|| eprintln!("{shown}:{line}: {error}"));
                continue;
            }
        }
        // the reader stands between CR and LF when it begins a record
        let line = record.position().map_or(line, csv::Position::line) + u64::from(crlf);
        match row(house, &header, &record) {
            Ok(citizen) => batch.push(Row { line, citizen }),
            Err(problems) => {
                tally.bad += 1;
                bar.suspend(|| report(&shown, line, &header, &problems));
            }
        }
        if batch.len() == BATCH {
            register(house, &shown, &mut batch, &mut tally, &bar).await?;
            bar.set_position(reader.position().byte());
            bar.set_message(format!("{} citizens", tally.new + tally.updated));
        }
    }
    register(house, &shown, &mut batch, &mut tally, &bar).await?;
    bar.finish_and_clear();
    let Tally { new, updated, bad, objected } = tally;
    println!("{new} new, {updated} updated, {bad} bad row(s)");
    if objected > 0 {
        println!(
            "{objected} channel(s) stay closed: those people objected after the consent given"
        );
    }
    Ok(if bad == 0 { Ended::Well } else { Ended::NotInOrder })
}

/// The delimiter, and whether lines end in CRLF, by the first line.
fn form(file: &std::path::Path) -> anyhow::Result<(u8, bool)> {
    use std::io::{BufRead, BufReader};
    let mut first = String::new();
    BufReader::new(std::fs::File::open(file)?).read_line(&mut first).map_err(|error| {
        Wrong(format!("failed to read {} as UTF-8: {error}; save it as UTF-8", file.display()))
    })?;
    let count = |c: char| first.matches(c).count();
    let delimiter = if count(';') > count(',') { b';' } else { b',' };
    Ok((delimiter, first.ends_with("\r\n")))
}

fn check_header(header: &[String], shown: &str) -> anyhow::Result<()> {
    for (column, name) in header.iter().enumerate() {
        if !FIELDS.contains(&name.as_str()) {
            let (column, known) = (column + 1, FIELDS.join(", "));
            return Err(Wrong(format!(
                "{shown}:1:{column}: `{name}` is no column; known are {known}"
            ))
            .into());
        }
    }
    for needed in ["consent_at", "consent_source"] {
        if !header.iter().any(|name| name == needed) {
            return Err(Wrong(format!(
                "{shown}:1: the column {needed} is missing: nobody is written to without consent"
            ))
            .into());
        }
    }
    Ok(())
}

fn row(
    house: &House,
    header: &[String],
    record: &csv::ByteRecord,
) -> Result<NewCitizen, Vec<Problem>> {
    let mut fields = SubscriberRecord::default();
    if record.len() != header.len() {
        let what = format!("has {} fields, the header {}", record.len(), header.len());
        return Err(vec![Problem::new("", what)]);
    }
    for (name, value) in header.iter().zip(record) {
        match std::str::from_utf8(value) {
            Ok(value) => {
                fields.set(name, value);
            }
            Err(_) => return Err(vec![Problem::new(format!("/{name}"), "is not UTF-8")]),
        }
    }
    let checked = subscriber::check(&fields, house.clock.now_ms())?;
    Ok(subscribing::to_new_citizen(&checked, &house.sealer, &house.clock, "import"))
}

fn report(shown: &str, line: u64, header: &[String], problems: &[Problem]) {
    for problem in problems {
        let field = problem.path.trim_start_matches('/').split('/').next().unwrap_or_default();
        match header.iter().position(|name| name == field) {
            Some(column) => {
                eprintln!("{shown}:{line}:{}: {field}: {}", column + 1, problem.problem);
            }
            None => eprintln!("{shown}:{line}: {}", problem.problem),
        }
    }
}

async fn register(
    house: &House,
    shown: &str,
    batch: &mut Vec<Row>,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let (lines, citizens): (Vec<u64>, Vec<NewCitizen>) =
        batch.drain(..).map(|row| (row.line, row.citizen)).unzip();
    if citizens.is_empty() {
        return Ok(());
    }
    let now = house.clock.now();
    let source = house.source();
    let joined =
        |new: &NewCitizen, pseudonym: &str| subscribing::joined(new, pseudonym, &source, now);
    let results = house.store.register(&citizens, &joined, now.as_millisecond()).await?;
    for (line, result) in lines.into_iter().zip(results) {
        match result {
            Ok(done) => {
                if done.new {
                    tally.new += 1;
                } else {
                    tally.updated += 1;
                }
                tally.objected += done.objected.len() as u64;
            }
            Err(refusal) => {
                tally.bad += 1;
                bar.suspend(|| eprintln!("{shown}:{line}: {refusal}"));
            }
        }
    }
    Ok(())
}

async fn export(house: &House) -> anyhow::Result<Ended> {
    let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
    writer.write_record(FIELDS)?;
    let mut last = 0;
    loop {
        let page = house.store.citizens_after(last, 500).await?;
        let Some(end) = page.last() else { break };
        last = end.id;
        for citizen in page {
            let addresses = house.store.addresses(citizen.id).await?;
            let interests = house.store.interests(citizen.id).await?;
            let consent = house.store.last_consent(&citizen.pseudonym).await?;
            writer.write_record(fields(house, &citizen, &addresses, &interests, consent)?)?;
        }
    }
    writer.flush()?;
    Ok(Ended::Well)
}

fn fields(
    house: &House,
    citizen: &CitizenRow,
    addresses: &[AddressRow],
    (themes, groups): &(Vec<String>, Vec<String>),
    consent: Option<(i64, String)>,
) -> anyhow::Result<Vec<String>> {
    let open = |sealed: &str| house.sealer.open_text(sealed);
    let of = |channel: &str| -> anyhow::Result<String> {
        match addresses.iter().find(|address| address.channel == channel) {
            Some(address) => Ok(open(&address.sealed)?),
            None => Ok(String::new()),
        }
    };
    let channels: Vec<&str> = addresses.iter().map(|address| address.channel.as_str()).collect();
    let first_name = citizen.first_name.as_deref().map(open).transpose()?.unwrap_or_default();
    let (consent_at, consent_source) = consent
        .map_or_else(Default::default, |(at, source)| (paris::instant(at).to_string(), source));
    Ok(vec![
        citizen.external_id.clone().unwrap_or_default(),
        of("email")?,
        of("sms")?,
        of("telegram")?,
        first_name,
        citizen.commune.clone(),
        citizen.language.clone(),
        citizen.register.clone(),
        channels.join("|"),
        themes.join("|"),
        groups.join("|"),
        citizen.frequency.clone(),
        citizen.age_band.clone(),
        consent_at,
        consent_source,
    ])
}

async fn erase(house: &House, id: &str) -> anyhow::Result<Ended> {
    let Some(citizen) = house.store.citizen_named(id).await? else {
        eprintln!("portevoix: no citizen has the pseudonym or external id `{id}`");
        return Ok(Ended::NotInOrder);
    };
    let channel = house
        .store
        .addresses(citizen.id)
        .await?
        .first()
        .map_or_else(String::new, |address| address.channel.clone());
    let now = house.clock.now();
    let left =
        subscribing::left(&citizen.pseudonym, &channel, &citizen.commune, &house.source(), now);
    house.store.erase(id, &anonymised, &left, now.as_millisecond()).await?;
    std::io::stdout().write_all(b"erased; objections are kept as fingerprints\n")?;
    Ok(Ended::Well)
}

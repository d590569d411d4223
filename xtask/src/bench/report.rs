//! Prints what was measured and keeps it in `benches/results`.

use std::{
    fs::{self, File},
    io::Write,
    process::Command,
};

use anyhow::{Context, Result};

use super::CONNECTIONS;
use crate::shell::{command, output, root};

pub struct Measured {
    pub database: &'static str,
    pub recipients: u32,
    /// From `publish` to the first mail at the sink.
    pub first_seconds: f64,
    /// From `publish` to the last mail at the sink.
    pub seconds: f64,
    /// Until the balance said that all was sent.
    pub settled_seconds: f64,
    pub daemon_cpu_seconds: f64,
    pub sink_cpu_seconds: f64,
    pub database_cpu_seconds: f64,
    pub daemon_peak_mb: f64,
    pub mail_bytes: u64,
    /// The bare loop, from its start to the last mail at the sink.
    pub bare_seconds: f64,
}

impl Measured {
    fn per_second(&self) -> f64 {
        f64::from(self.recipients) / self.seconds
    }

    fn bare_per_second(&self) -> f64 {
        f64::from(self.recipients) / self.bare_seconds
    }

    fn ratio(&self) -> f64 {
        self.bare_seconds / self.seconds
    }

    fn cpu_per_10_000(&self) -> f64 {
        self.daemon_cpu_seconds * 10_000.0 / f64::from(self.recipients)
    }

    pub fn show(&self) {
        let verdict = |met: bool| if met { "met" } else { "MISSED" };
        println!("\n{} citizens by email on {}", self.recipients, self.database);
        println!(
            "  {:>8.0} messages/s       target 2,500: {}",
            self.per_second(),
            verdict(self.per_second() >= 2500.0)
        );
        println!(
            "  {:>8.2} of the bare loop  target 0.5: {} (bare: {:.0}/s, {} bytes a mail)",
            self.ratio(),
            verdict(self.ratio() >= 0.5),
            self.bare_per_second(),
            self.mail_bytes
        );
        println!(
            "  {:>8.2} CPU s per 10,000  target 4: {} (the sink {:.2} s, the database {:.2} s in all)",
            self.cpu_per_10_000(),
            verdict(self.cpu_per_10_000() <= 4.0),
            self.sink_cpu_seconds,
            self.database_cpu_seconds
        );
        println!(
            "  {:>8.0} MB at most        target 120: {}",
            self.daemon_peak_mb,
            verdict(self.daemon_peak_mb < 120.0)
        );
        println!(
            "  first mail after {:.2} s, last after {:.2} s, settled after {:.2} s",
            self.first_seconds, self.seconds, self.settled_seconds
        );
    }

    fn json(&self) -> String {
        format!(
            concat!(
                "{{\"database\":\"{}\",\"recipients\":{},\"per_second\":{:.0},\"ratio\":{:.3},",
                "\"bare_per_second\":{:.0},\"cpu_seconds_per_10000\":{:.2},\"peak_mb\":{:.1},",
                "\"first_seconds\":{:.3},\"seconds\":{:.3},\"settled_seconds\":{:.3},",
                "\"sink_cpu_seconds\":{:.2},\"database_cpu_seconds\":{:.2},\"mail_bytes\":{}}}"
            ),
            self.database,
            self.recipients,
            self.per_second(),
            self.ratio(),
            self.bare_per_second(),
            self.cpu_per_10_000(),
            self.daemon_peak_mb,
            self.first_seconds,
            self.seconds,
            self.settled_seconds,
            self.sink_cpu_seconds,
            self.database_cpu_seconds,
            self.mail_bytes,
        )
    }

    fn row(&self, at: &str, commit: &str) -> String {
        format!(
            "| {at} | {commit} | {} | {} | {:.0} | {:.2} | {:.2} | {:.0} |\n",
            self.database,
            self.recipients,
            self.per_second(),
            self.ratio(),
            self.cpu_per_10_000(),
            self.daemon_peak_mb
        )
    }
}

/// Writes one JSON file a run and adds a line for each result to the table.
pub fn keep(results: &[Measured]) -> Result<()> {
    let at = output(Command::new("date").args(["-u", "+%Y-%m-%dT%H-%M-%SZ"]))?.trim().to_owned();
    let commit = output(command("git").args(["rev-parse", "--short", "HEAD"]))
        .map_or_else(|_| "?".to_owned(), |commit| commit.trim().to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let folder = root().join("benches/results");
    fs::create_dir_all(&folder).context("failed to make benches/results")?;

    let runs: Vec<String> = results.iter().map(Measured::json).collect();
    let json = format!(
        "{{\"at\":\"{at}\",\"commit\":\"{commit}\",\"cores\":{cores},\"connections\":{CONNECTIONS},\
         \"runs\":[\n  {}\n]}}\n",
        runs.join(",\n  ")
    );
    let file = folder.join(format!("{at}.json"));
    fs::write(&file, json).context("failed to write the results")?;
    let mut table = File::options()
        .append(true)
        .open(folder.join("README.md"))
        .context("failed to open benches/results/README.md")?;
    for result in results {
        table.write_all(result.row(&at, &commit).as_bytes()).context("failed to add a line")?;
    }
    println!("\nkept in {}", file.display());
    Ok(())
}

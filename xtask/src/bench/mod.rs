//! `cargo xtask bench`: one event to N citizens by email, from the bus to smtp-sink, with the
//! release build and everything on (queue in SQL, rendering, headers); and beside it a bare loop
//! that sends the same mail ready-made over as many connections. Only the ratio of the two can be
//! compared between machines.

mod gateway;
mod report;
mod servers;
#[cfg(test)]
mod tests;
mod usage;
mod world;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};

use self::{
    gateway::Gateway,
    report::{Measured, keep},
    servers::{Nats, Postgres, Sink},
    usage::Usage,
    world::World,
};
use crate::{
    find, setup,
    shell::{cargo, run, target},
};

/// SMTP connections, of the daemon and of the bare loop alike.
const CONNECTIONS: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

struct Options {
    recipients: u32,
    databases: Vec<Database>,
    build: Build,
}

/// What is measured. A debug build only tries the bench itself: nothing of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    Release,
    Debug,
}

impl Build {
    fn program(self, name: &str) -> PathBuf {
        match self {
            Self::Release => target().join("release").join(name),
            Self::Debug => target().join("debug").join(name),
        }
    }

    fn cargo(self, arguments: &[&str]) -> Result<()> {
        let mut cargo = cargo();
        cargo.args(["build", "--locked"]).args(arguments);
        if self == Self::Release {
            cargo.arg("--release");
        }
        run(&mut cargo)
    }
}

pub fn command(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments)?;
    setup::install();
    for program in ["nats-server", "smtp-sink"] {
        find::program(&[program]).with_context(|| format!("the bench needs {program}"))?;
    }
    let build = options.build;
    build.cargo(&["--package", "portevoix"])?;
    build.cargo(&["--package", "portevoix-email", "--example", "bare_smtp"])?;

    println!("\nbench: logs are in {} until it has gone well", World::all().display());
    println!("bench: one mail first, which the bare loop will repeat");
    let one = World::new("one", 1)?;
    let mail = one_mail(&one, build)?;
    let mut measured = Vec::new();
    for database in options.databases {
        println!("\nbench: {} citizens on {}", options.recipients, database.name());
        let world = World::new(database.name(), options.recipients)?;
        let mut result = broadcast(&world, database, build)?;
        result.mail_bytes = mail.metadata().context("failed to look at the mail")?.len();
        result.bare_seconds = bare_loop(&world, &mail, build)?;
        world.remove()?;
        measured.push(result);
    }
    one.remove()?;
    for result in &measured {
        result.show();
    }
    match build {
        Build::Release => keep(&measured),
        Build::Debug => {
            println!("\na debug build: not kept");
            Ok(())
        }
    }
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            recipients: 20_000,
            databases: vec![Database::Sqlite, Database::Postgres],
            build: Build::Release,
        };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let value = rest.next().with_context(|| format!("{option} needs a value"))?;
            match (option.as_str(), value.as_str()) {
                ("--recipients", number) => {
                    options.recipients = number.parse().context("--recipients takes a number")?;
                }
                ("--database", "sqlite") => options.databases = vec![Database::Sqlite],
                ("--database", "postgres") => options.databases = vec![Database::Postgres],
                ("--database", "both") | ("--build", "release") => {}
                ("--build", "debug") => options.build = Build::Debug,
                _ => bail!("`{option} {value}` is not an option of bench"),
            }
        }
        ensure!(options.recipients > 0, "--recipients takes at least 1");
        Ok(options)
    }
}

/// The mail that the daemon writes to one citizen, in a file.
fn one_mail(world: &World, build: Build) -> Result<PathBuf> {
    let nats = Nats::start(world)?;
    let sink = Sink::start_keeping(world)?;
    let database = world.sqlite();
    let mut gateway = Gateway::prepare(world, build, &database, &nats, &sink)?;
    gateway.serve()?;
    gateway.publish()?;
    sink.wait_for(1, || gateway.still_there())?;
    gateway.wait_until_sent(1)?;
    sink.only_mail()
}

fn broadcast(world: &World, database: Database, build: Build) -> Result<Measured> {
    let nats = Nats::start(world)?;
    let sink = Sink::start(world)?;
    let postgres = match database {
        Database::Sqlite => None,
        Database::Postgres => Some(Postgres::start(world)?),
    };
    let url = postgres.as_ref().map_or_else(|| world.sqlite(), Postgres::url);
    let mut gateway = Gateway::prepare(world, build, &url, &nats, &sink)?;
    gateway.serve()?;

    let pids = (gateway.pid()?, sink.pid(), postgres.as_ref().map(Postgres::pid));
    let usage = || -> Result<[Usage; 3]> {
        let database = pids.2.map_or(Ok(Usage::default()), Usage::of_family);
        Ok([Usage::of(pids.0)?, Usage::of(pids.1)?, database?])
    };
    let before = usage()?;
    let start = Instant::now();
    gateway.publish()?;
    let first = sink.wait_for(1, || gateway.still_there())?;
    let last = sink.wait_for(world.recipients, || gateway.still_there())?;
    gateway.wait_until_sent(world.recipients)?;
    let settled = start.elapsed();
    let after = usage()?;

    ensure!(
        sink.count()? == world.recipients,
        "{} mails arrived for {} citizens",
        sink.count()?,
        world.recipients
    );
    let cpu = |index: usize| after[index].cpu_seconds - before[index].cpu_seconds;
    Ok(Measured {
        database: database.name(),
        recipients: world.recipients,
        first_seconds: (first - start).as_secs_f64(),
        seconds: (last - start).as_secs_f64(),
        settled_seconds: settled.as_secs_f64(),
        daemon_cpu_seconds: cpu(0),
        sink_cpu_seconds: cpu(1),
        database_cpu_seconds: cpu(2),
        daemon_peak_mb: after[0].peak_mb,
        mail_bytes: 0,
        bare_seconds: 0.0,
    })
}

/// The same number of mails over the same number of connections, with nothing else to do.
fn bare_loop(world: &World, mail: &Path, build: Build) -> Result<f64> {
    let sink = Sink::start(world)?;
    let mut bare = Command::new(build.program("examples/bare_smtp"));
    bare.arg(sink.url()).arg(mail);
    bare.args([world.recipients.to_string(), CONNECTIONS.to_string()]);
    let start = Instant::now();
    run(&mut bare)?;
    let last = sink.wait_for(world.recipients, || Ok(()))?;
    Ok((last - start).as_secs_f64())
}

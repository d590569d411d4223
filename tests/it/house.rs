//! The house rules that no lint knows.

use std::fmt::Write;

use crate::source;

/// Lines; 400 is the aim.
const LONGEST_FILE: usize = 450;

#[test]
fn files_stay_short_and_are_named_for_what_they_hold() {
    let mut wrong = String::new();
    for file in everything() {
        let lines = source::read(&file).lines().count();
        if lines > LONGEST_FILE {
            writeln!(wrong, "{} has {lines} lines", file.display()).unwrap();
        }
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if ["util", "utils", "common", "helper", "helpers", "misc"].contains(&stem.as_str()) {
            writeln!(wrong, "{} has a name that says nothing", file.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn tests_wait_for_a_state_and_are_not_ignored() {
    let mut wrong = String::new();
    for file in everything() {
        let tokens = source::tokens(&source::read(&file));
        let in_tests = file.components().any(|part| part.as_os_str() == "tests");
        let sleeps = in_tests && tokens.iter().any(|token| token == "sleep");
        let ignores = tokens.windows(3).any(|three| three == ["#", "[", "ignore"]);
        if sleeps || ignores {
            writeln!(wrong, "{} sleeps or ignores a test", file.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn everything() -> Vec<std::path::PathBuf> {
    let files: Vec<_> = ["src", "channels", "xtask", "tests", "benches"]
        .iter()
        .flat_map(|folder| source::rust_files(&source::root().join(folder)))
        .collect();
    assert!(files.len() > 20, "only {} files were looked at", files.len());
    files
}

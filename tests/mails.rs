//! Every mail of `fixtures/mails`, laid out as its program lays it out, is read as the `.toml`
//! beside it says.

use std::fs;
use std::path::{Path, PathBuf};

use portevoix::inbox::mail::{self, Envelope, MailRead};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    class: String,
    token: Option<String>,
    language: Option<String>,
    acknowledge: bool,
    text: Option<String>,
    /// What must be found among what was taken off, and not in the text.
    #[serde(default)]
    taken_off: Vec<String>,
    attachments: Option<Vec<String>>,
    #[serde(default)]
    bounces: Vec<Reported>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Reported {
    recipient: String,
    status: String,
    action: String,
    suppress: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mails")
}

fn mails() -> Vec<PathBuf> {
    let mut mails: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder of mails")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    mails.sort();
    mails
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).expect("a word").as_str().expect("a word").to_owned()
}

/// What differs, in words.
fn differences(read: &MailRead, expected: &Expected) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, got: String, wanted: String| {
        if got != wanted {
            differences.push(format!("{what}: got {got}\n      wanted {wanted}"));
        }
    };
    differ("class", word(&read.class), expected.class.clone());
    let token = read.token.as_ref().map(|token| token.value.clone());
    differ("token", format!("{token:?}"), format!("{:?}", expected.token));
    if let Some(language) = expected.language.as_deref() {
        differ("language", format!("{:?}", read.language), format!("{:?}", Some(language)));
    }
    differ("acknowledge", read.may_acknowledge.to_string(), expected.acknowledge.to_string());
    if let Some(text) = &expected.text {
        differ("text", format!("{:?}", read.text), format!("{:?}", text.trim_end()));
    }
    for part in &expected.taken_off {
        differ(
            "taken off",
            format!(
                "{part:?} in {:?}: {}",
                read.quoted,
                read.quoted.contains(part) && !read.text.contains(part)
            ),
            format!("{part:?} in {:?}: true", read.quoted),
        );
    }
    let attachments: Vec<String> = read
        .attachments
        .iter()
        .map(|part| {
            format!("{} {} {}", part.name.as_deref().unwrap_or("-"), part.media_type, part.bytes)
        })
        .collect();
    if let Some(expected) = &expected.attachments {
        differ("attachments", format!("{attachments:?}"), format!("{expected:?}"));
    }
    let bounces: Vec<Reported> = read
        .bounces
        .iter()
        .map(|bounce| Reported {
            recipient: bounce.recipient.clone(),
            status: bounce.status.clone(),
            action: word(&bounce.action),
            suppress: bounce.suppress,
        })
        .collect();
    differ("bounces", format!("{bounces:?}"), format!("{:?}", expected.bounces));
    differences
}

#[test]
fn every_mail_is_read_as_its_program_meant_it() {
    let mut wrong = Vec::new();
    for path in mails() {
        let raw = fs::read(&path).expect("a mail");
        let expected =
            fs::read_to_string(path.with_extension("toml")).expect("what is expected of a mail");
        let expected: Expected = toml::from_str(&expected).expect("an expectation");
        let read = mail::read(&raw, &Envelope::default());
        for difference in differences(&read, &expected) {
            wrong.push(format!("{}\n  {difference} ({})", path.display(), read.reason));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_collection_is_as_large_as_promised() {
    let names: Vec<String> = mails().iter().map(|path| path.display().to_string()).collect();
    let french = names.iter().filter(|name| name.contains("/fr-")).count();
    assert!(names.len() >= 60, "{} mails", names.len());
    assert!(french >= 25, "{french} french mails");
}

/// The same bytes with the other line ends are the same mail.
#[test]
fn line_ends_make_no_difference() {
    for path in mails() {
        let raw = fs::read(&path).expect("a mail");
        let text: Vec<u8> = raw.iter().copied().filter(|b| *b != b'\r').collect();
        let crlf: Vec<u8> = text
            .iter()
            .flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] })
            .collect();
        let (lf, crlf) =
            (mail::read(&text, &Envelope::default()), mail::read(&crlf, &Envelope::default()));
        assert_eq!(
            (lf.class, lf.text, lf.bounces),
            (crlf.class, crlf.text, crlf.bounces),
            "{}",
            path.display()
        );
    }
}

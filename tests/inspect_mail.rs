//! `inspect mail` over files, folders and mailboxes.

use std::fs;
use std::path::{Path, PathBuf};

use portevoix::cli::inspect_mail;
use serde_json::Value;
use tempfile::TempDir;

fn inspect(paths: &[PathBuf]) -> (bool, Vec<Value>) {
    let mut out = Vec::new();
    let all_read = inspect_mail::run(paths, true, &mut out).expect("the output is a vector");
    let text = String::from_utf8(out).expect("json is utf-8");
    (
        all_read,
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect(),
    )
}

fn mail(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mails");
    fs::read(folder.join(name)).expect("a mail of the collection")
}

#[test]
fn a_mail_has_the_fields_of_the_contract_and_no_other() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("un.eml");
    fs::write(&path, mail("fr-photo.eml")).expect("a file");
    let (all_read, mails) = inspect(std::slice::from_ref(&path));
    assert!(all_read);
    let mut fields: Vec<&str> =
        mails[0].as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "attachments",
            "bounces",
            "class",
            "file",
            "from",
            "in_reply_to",
            "language",
            "message_id",
            "quoted",
            "reason",
            "text",
            "token"
        ]
    );
    assert_eq!(mails[0]["file"], path.display().to_string());
    assert_eq!(
        mails[0]["attachments"],
        serde_json::json!([{ "name": "banc.jpg", "media_type": "image/jpeg", "bytes": 22 }])
    );
    assert_eq!(mails[0]["token"], "Qx7Lm2Zt9Ka4");
}

#[test]
fn a_folder_is_read_with_its_folders_and_what_is_no_mail_stops_nothing() {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("b")).expect("a folder");
    fs::write(folder.path().join("a.eml"), mail("fr-gmail-web.eml")).expect("a file");
    fs::write(folder.path().join("b/b.eml"), mail("bounce-qmail.eml")).expect("a file");
    fs::write(folder.path().join("c.bin"), [0_u8, 1, 2]).expect("a file");
    let (all_read, mails) = inspect(&[folder.path().to_owned()]);
    let classes: Vec<&str> =
        mails.iter().map(|mail| mail["class"].as_str().expect("a class")).collect();
    assert_eq!(classes, ["reply", "bounce", "unreadable"]);
    assert!(!all_read);
    assert_eq!(
        mails[1]["bounces"][0],
        serde_json::json!({ "recipient": "x@exemple.fr", "status": "5.1.1", "action": "failed", "suppress": true })
    );
}

#[test]
fn a_path_that_is_not_there_is_reported_in_its_place() {
    let (all_read, mails) = inspect(&[PathBuf::from("/nowhere/at/all.eml")]);
    assert!(!all_read);
    assert_eq!(mails[0]["class"], "unreadable");
    assert!(
        mails[0]["reason"].as_str().is_some_and(|reason| reason.starts_with("failed to read it"))
    );
}

#[test]
fn a_mailbox_is_taken_apart_at_its_separators_only() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("boite.mbox");
    let body = "From: a@exemple.fr\nTo: b@exemple.fr\nSubject: x\nMessage-ID: <un@exemple.fr>\n\nUn.\nFrom ici on voit le parc.\n\nFrom ici aussi.\n>From la aussi.\n";
    fs::write(&path, format!("From a@exemple.fr Tue Mar  3 10:12:00 2026\n{body}\nFrom b@exemple.fr Tue Mar  3 10:13:00 2026\n{}", body.replace("<un@", "<deux@"))).expect("a file");
    let (all_read, mails) = inspect(std::slice::from_ref(&path));
    assert!(all_read);
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0]["file"], format!("{}#1", path.display()));
    assert_eq!(
        mails[0]["text"],
        "Un.\nFrom ici on voit le parc.\n\nFrom ici aussi.\nFrom la aussi."
    );
    assert_eq!(mails[1]["message_id"], "deux@exemple.fr");
}

#[test]
fn people_get_lines_that_they_can_read() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("un.eml");
    fs::write(&path, mail("fr-gmail-web.eml")).expect("a file");
    let mut out = Vec::new();
    assert!(inspect_mail::run(&[path], false, &mut out).expect("the output is a vector"));
    let text = String::from_utf8(out).expect("utf-8");
    assert!(
        text.contains(": reply (") && text.contains("    Je voudrais des bancs à l'ombre"),
        "{text}"
    );
}

use mail_parser::MessageParser;
use portevoix_sandbox::{Answer, AnswerError, Direction};
use serde_json::Value;

use crate::{NOW, channel, letterboxes, send};

const WORDS: &str =
    "Oui, avec des arbres… et un café ☕ pour les aînés du quartier qui viennent de loin.\n.\nZoé";

#[tokio::test]
async fn a_mail_client_s_reply_reads_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    send(&channel("email", &boxes), "zoe@example.org", "d1").await;
    let answer = Answer::Text(WORDS.to_owned());
    let inbound = boxes.answer("email", "zoe@example.org", &answer, Some("d1"), NOW).unwrap();
    assert_eq!(inbound.to, "r+abcdefghij234567@lille.example");
    assert_eq!(inbound.from, "zoe@example.org");
    assert!(inbound.raw.split(|byte| *byte == b'\n').all(|line| line.len() <= 200));

    let mail = MessageParser::default().parse(&inbound.raw).unwrap();
    assert_eq!(mail.subject(), Some("Re: Un parc à Wazemmes : donnez votre avis"));
    assert_eq!(mail.in_reply_to().as_text(), Some("abcdefghij234567@lille.example"));
    assert_eq!(mail.date().unwrap().to_timestamp(), NOW / 1_000);
    let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
    assert!(text.starts_with(WORDS), "{text}");
    assert!(text.contains("a écrit :\n> La métropole veut créer un parc.\n>\n> Qu’en"), "{text}");

    let letters = boxes.letters("email", "zoe@example.org").unwrap();
    assert_eq!(letters[1].direction, Direction::Out);
    assert_eq!(letters[1].content["text"], WORDS);
}

#[tokio::test]
async fn a_long_title_and_a_hostile_address_stay_headers() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let address = "x\r\nBcc: all@example.org\r\n\r\n@example.org";
    let answer = Answer::Text("non".to_owned());
    let inbound = boxes.answer("email", address, &answer, None, NOW).unwrap();
    let mail = MessageParser::default().parse(&inbound.raw).unwrap();
    assert!(mail.bcc().is_none());
    assert_eq!(mail.body_text(0).unwrap().trim(), "non");
}

#[tokio::test]
async fn a_chat_names_what_it_answers_and_a_button_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    send(&channel("telegram", &boxes), "4200", "d1").await;
    let reference = boxes.letters("telegram", "4200").unwrap()[0].reference.clone();

    let text = Answer::Text("Bonne idée".to_owned());
    let inbound = boxes.answer("telegram", "4200", &text, Some("d1"), NOW).unwrap();
    assert_eq!(inbound.in_reply_to.as_ref(), Some(&reference));
    assert_eq!(inbound.text.as_deref(), Some("Bonne idée"));

    let choice = Answer::Choice("oui".to_owned());
    let inbound = boxes.answer("telegram", "4200", &choice, Some("d1"), NOW).unwrap();
    assert_eq!(inbound.choice.as_deref(), Some("oui"));
    assert_eq!(inbound.in_reply_to, Some(reference));
    let raw: Value = serde_json::from_slice(&inbound.raw).unwrap();
    assert_eq!(raw["callback_query"]["data"], "abcdefghij234567:oui");
}

#[tokio::test]
async fn a_text_message_is_words_and_two_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let answer = Answer::Text("STOP".to_owned());
    let inbound = boxes.answer("sms", "+33612345678", &answer, None, NOW).unwrap();
    let raw: Value = serde_json::from_slice(&inbound.raw).unwrap();
    assert_eq!((&raw["from"], &raw["text"]), (&"+33612345678".into(), &"STOP".into()));
    assert_eq!(inbound.text.as_deref(), Some("STOP"));
    let missing = boxes.answer("sms", "+33612345678", &answer, Some("d9"), NOW);
    assert!(matches!(missing, Err(AnswerError::NoSuchLetter(id)) if id == "d9"));
}

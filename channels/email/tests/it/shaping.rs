use std::time::Instant;

use portevoix_contract::{Action, Block, Inline, Language, Message, Recipient, TextState};
use portevoix_email::EmailContent;

use crate::samples::{email, plain, recipient, shaper, standard};

const NOW_MS: i64 = 1_795_424_400_000;

/// A whole mail as it is sent.
async fn wire(message: &Message, recipient: &Recipient) -> String {
    let content = shaper().shape(message, recipient).unwrap();
    email("smtp://127.0.0.1:1").message(&content, NOW_MS).await.unwrap()
}

fn content(message: &Message) -> EmailContent {
    shaper().shape(message, &recipient()).unwrap()
}

#[tokio::test]
async fn a_whole_standard_mail() {
    insta::assert_snapshot!(wire(&standard(), &recipient()).await.replace('\r', ""));
    let content = content(&standard());
    insta::assert_snapshot!("standard_html", content.html);
    insta::assert_snapshot!("standard_text", content.text);
}

#[tokio::test]
async fn a_whole_plain_mail() {
    insta::assert_snapshot!(wire(&plain(), &recipient()).await.replace('\r', ""));
    let content = content(&plain());
    insta::assert_snapshot!("plain_html", content.html);
    insta::assert_snapshot!("plain_text", content.text);
}

#[tokio::test]
async fn a_receipt_answers_one_mail_and_is_no_list_mail() {
    let message = Message { broadcast: false, page: None, ..standard() };
    let recipient = Recipient {
        in_reply_to: Some("<abc@exemple.fr>".to_owned()),
        unsubscribe: None,
        ..recipient()
    };
    let mail = wire(&message, &recipient).await;
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    assert_eq!(parsed.header_raw("Auto-Submitted").map(str::trim), Some("auto-replied"));
    assert_eq!(parsed.in_reply_to().as_text(), Some("abc@exemple.fr"));
    assert_eq!(parsed.references().as_text(), Some("abc@exemple.fr"));
    for name in ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"] {
        assert!(parsed.header(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn another_parser_reads_back_what_was_meant() {
    let mut message = standard();
    message.title =
        "Été : « l’ombre » d’abord, 900 arbres & une plaine — donnez votre avis sur le parc 🌳🌳🌳"
            .to_owned();
    let content = content(&message);
    let mail = wire(&message, &recipient()).await;
    assert!(mail.is_ascii());
    assert!(mail.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n'])));
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some(message.title.as_str()));
    let from = parsed.from().and_then(|from| from.first()).unwrap();
    assert_eq!(from.name(), Some("Métropole européenne de Lille"));
    assert_eq!(from.address(), Some("participation@mel.example"));
    assert_eq!(parsed.message_id(), Some("mfrggzdfmztwq2lk@reponse.mel.example"));
    assert_eq!(parsed.date().map(mail_parser::DateTime::to_timestamp), Some(NOW_MS / 1000));
    assert_eq!(parsed.body_text(0).map(|text| text.replace("\r\n", "\n")), Some(content.text));
    assert_eq!(parsed.body_html(0).map(|html| html.replace("\r\n", "\n")), Some(content.html));
}

#[tokio::test]
async fn a_hostile_title_adds_no_header_and_no_markup() {
    let mut message = standard();
    message.title =
        "Avis\r\nBcc: tous@exemple.fr\r\n\r\n<script>alert(1)</script> {{ identity }}".to_owned();
    message.topic = "x>\r\nX-Evil: 1".to_owned();
    message.greeting = Some("<img src=x onerror=alert(1)>".to_owned());
    message.actions =
        vec![Action::Choose { key: "1\r\nX: y".to_owned(), label: "\"><script>".to_owned() }];
    let recipient = Recipient {
        name: Some("Eve\r\nX-Evil: 2".to_owned()),
        unsubscribe: Some("https://a.fr/\r\nX-Evil: 3".to_owned()),
        in_reply_to: Some("<a@b>\r\nX-Evil: 4".to_owned()),
        ..recipient()
    };
    let mail = wire(&message, &recipient).await;
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    for name in ["Bcc", "X-Evil", "X"] {
        assert!(parsed.header(name).is_none(), "{name}\n{mail}");
    }
    let html = parsed.body_html(0).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(html.contains("{{ identity }}"), "{html}");
}

#[test]
fn an_address_that_could_end_a_command_is_refused() {
    for address in
        ["a@b>\r\nRCPT TO:<c@d", "a b@c.fr", "nobody", "@c.fr", "a@", "a@b..c", "\"a\"@c.fr"]
    {
        let recipient = Recipient { address: address.to_owned(), ..recipient() };
        assert!(shaper().shape(&standard(), &recipient).is_err(), "{address:?}");
    }
    let recipient = Recipient { token: "a@b".to_owned(), ..recipient() };
    assert!(shaper().shape(&standard(), &recipient).is_err());
}

#[test]
fn only_a_proofread_text_is_called_falc() {
    let told = |state: TextState, language: &str| {
        let message = Message { text_state: state, language: Language::new(language), ..plain() };
        let content = content(&message);
        assert_eq!(content.html.contains("FALC"), content.text.contains("FALC"));
        (content.html.contains("FALC"), content.text)
    };
    assert!(!told(TextState::Standard, "fr").0);
    assert!(!told(TextState::Simplified, "fr").0);
    assert!(told(TextState::Simplified, "fr").1.contains("Version simplifiée"));
    assert!(told(TextState::Proofread, "fr").0);
    assert!(!told(TextState::StandardInstead, "fr").0);
    assert!(told(TextState::StandardInstead, "nl").1.contains("makkelijk te lezen"));
    assert!(told(TextState::StandardInstead, "en").1.contains("easy-to-read"));
}

#[test]
fn plain_language_is_set_in_at_least_fourteen_points() {
    let html = content(&plain()).html;
    let sizes: Vec<u32> = html
        .split("font-size:")
        .skip(1)
        .filter_map(|rest| rest.trim_start().split("px").next()?.parse().ok())
        .filter(|size| *size > 0)
        .collect();
    assert!(sizes.len() > 5 && sizes.iter().all(|size| *size >= 19), "{sizes:?}");
    assert!(!html.contains("<em") && !html.contains("justify"), "{html}");
}

#[test]
fn a_mail_asks_no_third_party_for_anything() {
    let html = content(&standard()).html;
    for wrong in ["<img", "<script", "<link", "@import", "url(", "fonts.googleapis"] {
        assert!(!html.contains(wrong), "{wrong}");
    }
    assert!(html.contains("<html lang=\"fr\""));
    let tables = html.matches("<table").count();
    assert_eq!(
        tables,
        html.matches("role=\"presentation\"").count()
            - html.matches("<div role=\"presentation\"").count(),
        "{html}"
    );
}

#[test]
fn shaping_a_mail_stays_cheap() {
    let shaper = shaper();
    let (message, recipient) = (standard(), recipient());
    let rounds = 300;
    let start = Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(shaper.shape(&message, &recipient).unwrap());
    }
    // Compiling the layout each time would take over 600 µs even in release.
    let each = start.elapsed() / rounds;
    println!("shape: {each:?} a mail");
    assert!(each.as_micros() < 5_000, "{each:?}");
}

#[test]
fn a_text_without_words_is_still_a_mail() {
    let message = Message {
        blocks: vec![Block::Paragraph { inlines: vec![Inline::Break] }],
        actions: Vec::new(),
        footer: Vec::new(),
        greeting: None,
        title: String::new(),
        ..standard()
    };
    assert!(content(&message).text.contains("-- \n"));
}

use portevoix_contract::{Language, parse_markdown};
use proptest::prelude::*;

use super::*;

fn message(title: &str, body: &str) -> Message {
    Message {
        title: title.to_owned(),
        blocks: parse_markdown(body),
        short: None,
        actions: vec![
            Action::Choose { key: "1".into(), label: "oui".into() },
            Action::Choose { key: "2".into(), label: "non".into() },
        ],
        footer: Vec::new(),
        greeting: Some("Bonjour".into()),
        language: Language::default(),
        register: Register::Standard,
        text_state: TextState::Standard,
        page: Some("https://mel.example/c/7KQ2".into()),
        broadcast: true,
        topic: "parc-sud".into(),
    }
}

fn shape(config: ShapeConfig, message: &Message) -> SmsContent {
    let recipient = Recipient {
        address: "+33612345678".into(),
        name: Some("Zoé".into()),
        token: "t".into(),
        unsubscribe: None,
        preferences: None,
        in_reply_to: None,
    };
    SmsShaper::new(config).shape(message, &recipient).unwrap()
}

fn default(message: &Message) -> SmsContent {
    shape(ShapeConfig::default(), message)
}

#[test]
fn a_launch_fills_one_segment_and_leaves_the_rest_to_the_page() {
    let content = default(&message(
        "Un parc au sud de Lille",
        "La concertation s’ouvre lundi. Dites ce que vous en pensez jusqu’au 15 janvier, en \
         réunion ou par écrit, seul ou avec votre association.",
    ));
    assert_eq!(
        content.text,
        "Un parc au sud de Lille\nLa concertation s'ouvre lundi.\nRépondez 1 oui, 2 non\n\
         https://mel.example/c/7KQ2\nRefus : répondez STOP"
    );
    assert_eq!((content.encoding, content.segments), (Encoding::Gsm7, 1));
    assert_eq!(content.units, content.text.chars().count());
    assert!(content.transliterated);
    assert_eq!(content.parts, std::slice::from_ref(&content.text));
}

#[test]
fn transliteration_only_where_it_saves_segments() {
    let mut note = message("Forêt", "");
    note.page = None;
    note.broadcast = false;
    note.actions.clear();
    let content = default(&note);
    assert_eq!((content.text.as_str(), content.transliterated), ("Forêt", false));
    let config = ShapeConfig { transliterate: false, ..ShapeConfig::default() };
    let long = message("Une forêt au sud de Lille, à Loos et à Haubourdin", "");
    let content = shape(config, &long);
    assert_eq!((content.encoding, content.transliterated), (Encoding::Ucs2, false));
    assert_eq!(content.segments, 2);
    let content = default(&long);
    assert_eq!((content.encoding, content.segments), (Encoding::Gsm7, 1));
}

#[test]
fn the_short_text_stands_alone() {
    let mut launch = message("Un parc au sud de Lille", "Un long corps.");
    launch.short = Some("Parc sud : votre avis ?".into());
    launch.actions.push(Action::Answer { label: "Répondre".into() });
    let config = ShapeConfig {
        signature: Some("MEL :".into()),
        stop_number: Some("38123".into()),
        ..ShapeConfig::default()
    };
    assert_eq!(
        shape(config, &launch).text,
        "MEL : Parc sud : votre avis ?\nRépondez 1 oui, 2 non, ou écrivez votre avis\n\
         https://mel.example/c/7KQ2\nSTOP au 38123"
    );
}

#[test]
fn who_cannot_be_answered_asks_for_no_answer() {
    let config =
        ShapeConfig { two_way: false, stop_number: Some("38123".into()), ..ShapeConfig::default() };
    assert_eq!(
        shape(config, &message("Un parc", "")).text,
        "Un parc\nhttps://mel.example/c/7KQ2\nSTOP au 38123"
    );
}

#[test]
fn a_service_message_says_everything_and_nothing_of_stop() {
    let mut receipt = message(
        "Votre réponse est arrivée",
        "Nous l'avons reçue le lundi 23 novembre 2026. Le service Concertation la lit. \
         Écrivez à [concertation](mailto:concertation@mel.example) pour en savoir plus.",
    );
    receipt.page = None;
    receipt.broadcast = false;
    receipt.actions =
        vec![Action::Link { label: "Ma page".into(), url: "https://mel.example/me/é".into() }];
    let content = default(&receipt);
    assert_eq!(
        content.text,
        "Votre réponse est arrivée\nNous l'avons recue le lundi 23 novembre 2026. Le service \
         Concertation la lit. Écrivez à concertation (concertation@mel.example) pour en savoir \
         plus.\nMa page : https://mel.example/me/é"
    );
    assert_eq!((content.encoding, content.segments), (Encoding::Gsm7, 2));
    assert_eq!(content.parts.concat(), content.text);
}

#[test]
fn plain_language_has_one_idea_a_line_and_no_half_sentence() {
    let mut launch = message(
        "Un parc à Lille",
        "La ville fait un parc.\n\nLe parc est au sud.\n\nVous pouvez dire votre avis sur ce \
         parc jusqu'au vendredi 15 janvier dans votre mairie.",
    );
    launch.register = Register::Plain;
    assert_eq!(
        default(&launch).text,
        "Un parc à Lille\nLa ville fait un parc.\nRépondez 1 pour oui\nRépondez 2 pour non\n\
         https://mel.example/c/7KQ2\nPour ne plus recevoir de SMS : répondez STOP"
    );
}

#[test]
fn a_standard_text_for_someone_who_asked_for_plain_says_so() {
    let mut launch = message("Un parc", "");
    launch.text_state = TextState::StandardInstead;
    assert!(default(&launch).text.starts_with("Ce texte n'existe pas en version simplifiée.\nUn"));
}

#[test]
fn what_is_far_too_long_is_cut_at_a_sentence_or_a_word() {
    let mut long = message(&"Le parc change encore un peu. ".repeat(60), "");
    let content = default(&long);
    assert_eq!(content.segments, 3);
    assert!(content.text.contains("un peu.\nRépondez 1, 2\nhttps"), "{}", content.text);
    long.title = "parc ".repeat(200);
    let content = default(&long);
    assert_eq!(content.segments, 3);
    assert!(content.text.contains("parc parc...\nRépondez 1, 2\n"), "{}", content.text);
}

#[test]
fn what_can_never_fit_is_refused() {
    let mut hopeless = message("Un parc", "");
    hopeless.page = Some(format!("https://mel.example/{}", "x".repeat(600)));
    let recipient = Recipient {
        address: String::new(),
        name: None,
        token: String::new(),
        unsubscribe: None,
        preferences: None,
        in_reply_to: None,
    };
    let refused = SmsShaper::new(ShapeConfig::default()).shape(&hopeless, &recipient);
    assert!(refused.unwrap_err().why.contains("more than 3 segments"));
}

#[test]
fn three_languages_have_their_own_words() {
    for (language, answer, stop) in [
        ("nl", "Antwoord 1 oui, 2 non", "Afmelden: antwoord STOP"),
        ("en", "Reply 1 oui, 2 non", "Opt out: reply STOP"),
        ("de", "Répondez 1 oui, 2 non", "Refus : répondez STOP"),
    ] {
        let mut launch = message("Parc", "");
        launch.language = Language::new(language);
        let text = default(&launch).text;
        assert!(text.contains(answer) && text.ends_with(stop), "{text}");
    }
}

#[test]
fn debug_shows_no_word_of_it() {
    assert!(!format!("{:?}", default(&message("Secret", ""))).contains("Secret"));
}

proptest! {
    #[test]
    fn whatever_is_written_fits_and_keeps_its_link_and_its_stop(
        title in "[A-Za-zéèêç][A-Za-zéèêç’ 🌳€]{1,300}",
        body in "([a-zéêœ,’ ]{1,40}[.!?] ?|\\n\\n|- |[*_#>]){0,30}",
        plain: bool,
        transliterate: bool,
        max_segments in 2..6_usize,
    ) {
        let mut launch = message(&title, &body);
        if plain {
            launch.register = Register::Plain;
        }
        let config = ShapeConfig { transliterate, max_segments, ..ShapeConfig::default() };
        let recipient = Recipient {
            address: String::new(),
            name: None,
            token: String::new(),
            unsubscribe: None,
            preferences: None,
            in_reply_to: None,
        };
        let content = SmsShaper::new(config).shape(&launch, &recipient).unwrap();
        prop_assert!(content.segments <= max_segments);
        prop_assert_eq!(content.parts.concat(), content.text.clone());
        prop_assert!(content.text.contains("\nhttps://mel.example/c/7KQ2\n"));
        prop_assert!(content.text.ends_with("STOP"));
        // the message says something besides
        prop_assert!(!content.text.starts_with("Répondez") && !content.text.starts_with("\n"));
    }
}

use portevoix_conformance::{Shaping, fakes::parsed_text, samples, shaping};
use portevoix_contract::{
    Action, Language, Message, Recipient, Register, TextState, parse_markdown,
};
use portevoix_telegram::{PART_UNITS, TelegramContent, TelegramShaper};
use proptest::prelude::*;

fn shape(message: &Message) -> TelegramContent {
    TelegramShaper.shape(message, &samples::recipient("42")).unwrap()
}

fn text(content: &TelegramContent) -> String {
    content.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// What must hold of whatever is sent.
fn check(content: &TelegramContent) {
    let (last, others) = content.parts.split_last().unwrap();
    assert!(others.iter().all(|part| part.buttons.is_empty()));
    for part in others.iter().chain([last]) {
        assert!(part.text.encode_utf16().count() <= PART_UNITS);
        assert!(!part.text.is_empty());
        assert_eq!(parsed_text(&part.html).unwrap(), part.text);
    }
}

#[test]
fn every_sample_becomes_html_that_telegram_reads_as_the_text() {
    let must = Shaping { channel: "telegram", address: "42", html: &["html"], one_line: &[] };
    shaping(must, |message: &Message, recipient: &Recipient| {
        let content = TelegramShaper.shape(message, recipient)?;
        check(&content);
        Ok(content)
    });
}

#[test]
fn a_launch_as_a_citizen_reads_it() {
    let content = shape(&samples::launch());
    assert_eq!(content.parts.len(), 1);
    assert_eq!(
        content.parts[0].html,
        "<b>Un parc à Wazemmes : donnez votre avis</b>\n\nBonjour Zoé,\n\n\
         La métropole veut <b>créer un parc</b> à Wazemmes.\n\n\
         Les travaux durent <i>deux ans</i>.\n\n• des arbres\n• des jeux\n\n\
         Tout est sur <a href=\"https://lille.example/parc\">la page du projet</a>.\n\n\
         <b>Répondez à ce message</b>\n\
         Pour répondre, écrivez-nous ici, en réponse à ce message.\n\n\
         Vous recevez ce message car vous l’avez demandé.\n\n\
         Pour ne plus recevoir ces messages, envoyez /stop"
    );
    let buttons = serde_json::to_value(&content.parts[0].buttons).unwrap();
    assert_eq!(
        buttons,
        serde_json::json!([
            [{ "text": "Lire sur le site", "url": "https://lille.example/c/k3x9" }],
            [{ "text": "Mes préférences", "url": "https://lille.example/me/mfrggzdfmztwq2lk" }],
        ])
    );
}

#[test]
fn options_are_buttons_below_the_last_part_and_what_is_too_long_for_one_is_written() {
    let options = samples::all().into_iter().find(|sample| sample.name == "options").unwrap();
    let long = "Une phrase qui dit une chose, puis une autre. ".repeat(230);
    let message = Message { blocks: parse_markdown(&long), ..options.message };
    let content = shape(&message);
    check(&content);
    assert!(content.parts.len() > 2);
    for part in &content.parts[..content.parts.len() - 1] {
        assert!(part.text.ends_with("autre."), "cut inside a sentence: {}", part.text);
    }
    let last = content.parts.last().unwrap();
    let data: Vec<&str> = last
        .buttons
        .iter()
        .flatten()
        .filter_map(|button| button.callback_data.as_deref())
        .collect();
    let token = samples::recipient("42").token;
    assert_eq!(data, [format!("{token}:1"), format!("{token}:2"), format!("{token}:3")]);
    assert!(last.text.contains("3 — Ni l’un ni l’autre : laissez la place comme elle est"));
    // Neither of these is an address that Telegram takes a button for.
    assert!(last.text.contains("Plan\u{a0}: http://127.0.0.1:8080/plan"));
    assert!(last.text.contains("Voir le projet\u{a0}: https://lille.example/parc?a=1&b=\"2\""));
}

#[test]
fn a_key_that_fits_no_button_is_said_so() {
    let action = Action::Choose { key: "k".repeat(40), label: "Oui".to_owned() };
    let message = Message { actions: vec![action], ..samples::launch() };
    let error = TelegramShaper.shape(&message, &samples::recipient("42")).unwrap_err();
    assert_eq!(error.channel, "telegram");
}

#[test]
fn plain_language_is_one_idea_a_line_and_says_what_it_may() {
    let message = |state| Message {
        blocks: parse_markdown("La ville *crée* un parc. Il est grand. Venez\u{a0}!\nC’est bien."),
        register: Register::Plain,
        text_state: state,
        ..samples::launch()
    };
    let simplified = shape(&message(TextState::Simplified));
    let read = text(&simplified);
    assert!(read.contains("La ville crée un parc.\nIl est grand.\nVenez\u{a0}!\nC’est bien.\n"));
    assert!(!simplified.parts[0].html.contains("<i>"));
    assert!(read.contains("Version simplifiée") && !read.contains("FALC"));
    assert!(text(&shape(&message(TextState::Proofread))).contains("FALC"));
    let instead = text(&shape(&message(TextState::StandardInstead)));
    assert!(instead.contains("n’est pas encore prête") && !instead.contains("FALC"));
}

#[test]
fn fixed_words_follow_the_language_and_fall_back_to_french() {
    for (tag, stop) in [("nl", "Stuur /stop"), ("en", "send /stop"), ("eo", "envoyez /stop")] {
        let message = Message { language: Language::new(tag), ..samples::launch() };
        assert!(text(&shape(&message)).contains(stop), "{tag}");
    }
    let service = Message { broadcast: false, ..samples::launch() };
    assert!(!text(&shape(&service)).contains("/stop"));
}

proptest! {
    #[test]
    fn no_text_is_lost_and_none_breaks_the_html(
        paragraphs in prop::collection::vec("[a-zé<>&\"*_👍 .\\[\\]()]{0,400}", 1..40),
    ) {
        let message = Message {
            blocks: parse_markdown(&paragraphs.join("\n\n")),
            title: "Titre".to_owned(),
            ..samples::launch()
        };
        let content = shape(&message);
        check(&content);
        let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
        let expected = letters(&portevoix_contract::plain_text(&message.blocks));
        let sent = letters(&text(&content));
        prop_assert!(sent.contains(&expected), "{expected} is not in {sent}");
    }
}

use portevoix_contract::{Action, Block, Language, Message, Register, TextState, plain_text};

use super::*;
use crate::model::event::{Event, EventKind};

fn renderer() -> Renderer {
    Renderer::new(None).unwrap()
}

fn variant(language: &str, register: Register) -> Variant {
    Variant { language: Language::new(language), register, ..Variant::default() }
}

fn message(rendered: Rendered) -> Message {
    match rendered {
        Rendered::Message(message) => message,
        Rendered::AwaitsPlain => panic!("waits for a plain text"),
    }
}

fn render(event: &Event, variant: &Variant) -> Message {
    let links = Links { page: Some("https://participation.example/c/k7".to_owned()) };
    message(renderer().broadcast(event, variant, &links).unwrap())
}

fn shown(message: &Message) -> String {
    let actions: Vec<String> = message
        .actions
        .iter()
        .map(|action| match action {
            Action::Answer { label } => format!("[{label}]"),
            Action::Choose { key, label } => format!("[{key} {label}]"),
            Action::Link { label, url } => format!("[{label} → {url}]"),
        })
        .collect();
    format!(
        "{}\n{}\n\n{}\n\n{}\n\n-- {}\n{}",
        message.title,
        message.short.as_deref().unwrap_or_default(),
        plain_text(&message.blocks),
        actions.join("\n"),
        message.greeting.as_deref().unwrap_or_default(),
        plain_text(&message.footer),
    )
}

#[test]
fn every_template_renders_with_its_sample() {
    let checked = renderer().check();
    let wrong: Vec<_> = checked.iter().filter(|(_, result)| result.is_err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked.len() >= 104, "{}", checked.len());
}

#[test]
fn everyone_gets_every_event_in_each_register() {
    for kind in EventKind::ALL {
        let event = samples::event(kind).unwrap();
        assert_eq!(event.kind, kind);
        for register in [Register::Standard, Register::Plain] {
            for language in ["fr", "nl", "en", "ar"] {
                let message = render(&event, &variant(language, register));
                assert_eq!(message.register, register);
                let own = event.data.message.contains_key(language);
                assert_eq!(message.language.as_str(), if own { language } else { "fr" });
            }
        }
    }
}

#[test]
fn three_events_speak_dutch_and_english() {
    for kind in
        [EventKind::ConsultationOpened, EventKind::ConsultationClosing, EventKind::OpinionPublished]
    {
        let event = samples::event(kind).unwrap();
        for language in ["nl", "en"] {
            for register in [Register::Standard, Register::Plain] {
                assert_eq!(
                    render(&event, &variant(language, register)).language.as_str(),
                    language
                );
            }
        }
    }
}

#[test]
fn a_whole_message_in_french() {
    let event = samples::event(EventKind::ConsultationOpened).unwrap();
    insta::assert_snapshot!(shown(&render(&event, &variant("fr", Register::Standard))));
}

#[test]
fn a_whole_message_in_plain_french() {
    let event = samples::event(EventKind::ConsultationOpened).unwrap();
    let message = render(&event, &variant("fr", Register::Plain));
    assert_eq!(message.text_state, TextState::Proofread);
    insta::assert_snapshot!(shown(&message));
}

#[test]
fn what_comes_from_outside_is_shown_and_never_evaluated() {
    let hostile =
        "{{ 7*7 }} {% raw %} <script>alert(1)</script> *a* _b_ [x](javascript:alert(1)) # h";
    let mut event = samples::event(EventKind::OpinionPublished).unwrap();
    event.data.consultation.title = [("fr", hostile)].into();
    event.data.outcomes[0].theme = hostile.to_owned();
    event.data.outcomes[0].reason = [("fr", hostile)].into();
    if let Some(contact) = &mut event.data.consultation.contact {
        contact.service = Some(hostile.to_owned());
    }
    let words = event.data.message.get_mut("fr").unwrap();
    words.title = format!("{hostile}\nBcc: all@example.org");
    words.body = "{{ 7*7 }} <script>alert(1)</script> [x](javascript:alert(1)) **gras**".to_owned();
    words.sms = None;
    let plain = words.plain.as_mut().unwrap();
    plain.title = hostile.to_owned();
    plain.lines = vec![format!("{hostile}\n\n## autre titre")];
    for register in [Register::Standard, Register::Plain] {
        let message = render(&event, &variant("fr", register));
        assert!(message.title.starts_with(hostile));
        assert!(!message.title.contains('\n'));
        let text = plain_text(&message.blocks);
        assert!(text.contains(hostile), "{text}");
        assert!(plain_text(&message.footer).contains(hostile));
        let markup = serde_json::to_string(&message.blocks).unwrap();
        assert!(!markup.contains("\"to\":") && !text.contains("49"), "{markup}");
        if register == Register::Standard {
            assert!(text.contains("{{ 7*7 }} <script>alert(1)</script> x gras"), "{text}");
        }
    }
}

#[test]
fn an_unclosed_body_swallows_nothing_of_the_template() {
    let mut event = samples::event(EventKind::OpinionPublished).unwrap();
    for body in
        ["```\ncode", "<script>\n", "> cité", "- liste\n  - dedans", "<!--", "\u{E000}body\u{E000}"]
    {
        event.data.message.get_mut("fr").unwrap().body = body.to_owned();
        let message = render(&event, &variant("fr", Register::Standard));
        let heading = |block: &Block| matches!(block, Block::Heading { .. });
        assert!(message.blocks.iter().any(heading), "{body}");
        assert!(matches!(message.blocks.last(), Some(Block::List { .. })), "{body}");
    }
}

#[test]
fn plain_waits_for_a_person_unless_told_otherwise() {
    let mut event = samples::event(EventKind::ConsultationOpened).unwrap();
    for words in event.data.message.values_mut() {
        words.plain = None;
    }
    let mut wanted = variant("fr", Register::Plain);
    let links = Links::default();
    let rendered = renderer().broadcast(&event, &wanted, &links).unwrap();
    assert_eq!(rendered, Rendered::AwaitsPlain);
    wanted.standard_instead = true;
    let sent = message(renderer().broadcast(&event, &wanted, &links).unwrap());
    assert_eq!((sent.text_state, sent.register), (TextState::StandardInstead, Register::Standard));
}

#[test]
fn plain_in_another_language_falls_back_to_plain_french() {
    let mut event = samples::event(EventKind::ConsultationOpened).unwrap();
    event.data.message.get_mut("nl").unwrap().plain = None;
    let message = render(&event, &variant("nl", Register::Plain));
    assert_eq!((message.language.as_str(), message.register), ("fr", Register::Plain));
    event.data.message.get_mut("fr").unwrap().plain.as_mut().unwrap().proofread = None;
    let message = render(&event, &variant("nl", Register::Plain));
    assert_eq!(message.text_state, TextState::Simplified);
}

#[test]
fn a_contributor_reads_the_outcome_of_their_own_themes() {
    let event = samples::event(EventKind::OpinionPublished).unwrap();
    let mut wanted = variant("fr", Register::Standard);
    let all = plain_text(&render(&event, &wanted).blocks);
    assert!(
        all.contains("retenu.") && all.contains("retenu en partie.") && all.contains("non retenu.")
    );
    wanted.themes = vec!["Jeux".to_owned()];
    let own = plain_text(&render(&event, &wanted).blocks);
    assert!(own.contains("jeux\u{a0}: retenu en partie.") && own.contains("faute de budget"));
    assert!(!own.contains("600 arbres"), "{own}");
}

#[test]
fn only_an_open_consultation_asks_for_an_answer() {
    let asks = |kind| {
        let message = render(&samples::event(kind).unwrap(), &variant("fr", Register::Standard));
        message.actions.iter().any(|action| matches!(action, Action::Answer { .. }))
    };
    assert!(asks(EventKind::ConsultationOpened) && asks(EventKind::ConsultationClosing));
    assert!(!asks(EventKind::OpinionPublished) && !asks(EventKind::MeetingCancelled));
    let opened = samples::event(EventKind::ConsultationOpened).unwrap();
    let keys: Vec<String> = render(&opened, &variant("nl", Register::Standard))
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Choose { key, label } => Some(format!("{key} {label}")),
            _ => None,
        })
        .collect();
    assert_eq!(keys, ["1 Bomen planten", "2 Een speeltuin maken", "3 Een gedeelde tuin openen"]);
}

#[test]
fn a_receipt_says_what_the_law_asks() {
    let event = samples::event(EventKind::ConsultationOpened).unwrap();
    for notice in samples::notices().into_iter().take(3) {
        for (language, date) in [
            ("fr", "mardi 24 novembre 2026"),
            ("nl", "dinsdag 24 november 2026"),
            ("en", "Tuesday 24 November 2026"),
        ] {
            for register in [Register::Standard, Register::Plain] {
                let consultation = Some(&event.data.consultation);
                let message = renderer()
                    .notice(&notice, &Language::new(language), register, consultation)
                    .unwrap();
                let text = plain_text(&message.blocks);
                let short = message.short.unwrap();
                for needed in ["2026-0042", date, "Concertation et citoyenneté", "concertation@"] {
                    assert!(
                        text.contains(needed) && short.contains(needed),
                        "{needed}: {text} {short}"
                    );
                }
                assert!(!message.broadcast && message.page.is_none());
            }
        }
    }
}

#[test]
fn a_receipt_repeats_a_citizens_words_as_words() {
    let notice = Notice::Receipt {
        number: "7".to_owned(),
        received_on: jiff::civil::date(2026, 11, 24),
        excerpt: Some(format!("<b>{{{{ x }}}}</b>\n\n# non {}", "très long ".repeat(80))),
        answer: None,
    };
    let message =
        renderer().notice(&notice, &Language::new("fr"), Register::Standard, None).unwrap();
    let text = plain_text(&message.blocks);
    assert!(text.contains("> <b>{{ x }}</b> # non très long"), "{text}");
    assert!(text.contains("long…") || text.contains("très…"), "{text}");
    assert!(text.contains("Métropole européenne de Lille, participation citoyenne"));
}

#[test]
fn a_whole_receipt_in_french() {
    let event = samples::event(EventKind::ConsultationOpened).unwrap();
    let notice = &samples::notices()[0];
    let fr = Language::default();
    let consultation = Some(&event.data.consultation);
    let standard = renderer().notice(notice, &fr, Register::Standard, consultation).unwrap();
    let plain = renderer().notice(notice, &fr, Register::Plain, consultation).unwrap();
    insta::assert_snapshot!(format!("{}\n\n=======\n\n{}", shown(&standard), shown(&plain)));
}

#[test]
fn a_folder_replaces_and_adds_templates_and_its_faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "consultation.opened/fr.md",
        "---\ntitle: À vous : {{ message.title }}\nshort: x\n---\n{{ body }}\n",
    );
    let renderer = Renderer::new(Some(folder.path())).unwrap();
    let event = samples::event(EventKind::ConsultationOpened).unwrap();
    let wanted = variant("fr", Register::Standard);
    let sent = message(renderer.broadcast(&event, &wanted, &Links::default()).unwrap());
    assert!(sent.title.starts_with("À vous : Quel parc"));
    assert!(renderer.check().iter().all(|(_, result)| result.is_ok()));

    write(
        "consultation.opened/fr.md",
        "---\ntitle: {{ nobody }}\nshort: x\n---\nvoir {{ body }}\n",
    );
    write("feast.held/fr.md", "---\ntitle: x\n---\nx\n");
    write("project.announced/nl.md", "---\ntitle: {{ message.title }}\n---\n{{ body|safe }}\n");
    let broken = Renderer::new(Some(folder.path())).unwrap().check();
    let wrong: Vec<String> = broken
        .into_iter()
        .filter_map(|(name, result)| Some(format!("{name} {}", result.err()?)))
        .collect();
    let starts = [
        "consultation.opened/fr template",
        "feast.held/fr is named",
        "project.announced/nl template",
    ];
    assert!(wrong.iter().zip(starts).all(|(told, start)| told.starts_with(start)), "{wrong:#?}");
    assert_eq!(wrong.len(), 3, "{wrong:#?}");
    write("feast.held/fr.md", "no front matter");
    assert!(matches!(Renderer::new(Some(folder.path())), Err(RenderError::Malformed { .. })));
    assert!(matches!(
        Renderer::new(Some(&folder.path().join("no"))),
        Err(RenderError::Read { .. })
    ));
}

/// The fixed words of a template: what stands outside `{{ }}` and `{% %}`.
fn fixed_words(line: &str) -> String {
    let mut words = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        words.push_str(before);
        let (tag, after) = after.split_once('}').unwrap_or((after, ""));
        words.push_str(if tag.starts_with('%') { "" } else { "X" });
        rest = after.strip_prefix('}').unwrap_or(after);
    }
    words + rest
}

#[test]
fn short_texts_of_our_own_cost_no_ucs2() {
    // GSM 03.38 without ç, as providers disagree about it
    const GSM: &str = "@£$¥èéùìòØøÅåÆæßÉ !\"#%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
    for file in templates::INCLUDED.dirs().flat_map(include_dir::Dir::files) {
        let text = file.contents_utf8().unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("short:")) {
            let outside: String = fixed_words(line)
                .chars()
                .filter(|c| !c.is_ascii_alphanumeric() && !GSM.contains(*c))
                .collect();
            assert_eq!(outside, "", "{}", file.path().display());
        }
    }
}

#[test]
fn plain_templates_say_one_short_thing_a_line() {
    for file in templates::INCLUDED.dirs().flat_map(include_dir::Dir::files) {
        let name = file.path().display().to_string();
        let body = file.contents_utf8().unwrap().splitn(3, "---\n").nth(2).unwrap();
        for line in body.lines().filter(|_| name.ends_with(".plain.md")) {
            let line = fixed_words(line).replace(['’', '\''], " ");
            assert!(line.split_whitespace().count() <= 12, "{name}: {line}");
            let sentences = line.split(['.', '?', '!']).filter(|s| !s.trim().is_empty()).count();
            assert!(sentences <= 1, "{name}: {line}");
        }
    }
}

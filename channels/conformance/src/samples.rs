//! Messages as they come, and as someone hostile would write them.

use portevoix_contract::{
    Action, Language, Message, Recipient, Register, TextState, parse_markdown,
};

/// A message and a name for it in a failure.
#[derive(Debug, Clone)]
pub struct Sample {
    pub name: &'static str,
    pub message: Message,
    /// A channel may answer that it can't be shaped.
    pub may_be_refused: bool,
}

/// What an evaluated `{{ 1234567 * 9 }}` would leave.
pub const EVALUATED: &str = "11111103";

pub(crate) const HOSTILE: &str = "<script>alert(1)</script> <img src=x onerror=alert(1)> \
     {{ 1234567 * 9 }} {% for x in y %} ${1234567*9} </p></td></b> &lt;b&gt; &amp; \" ' \
     [clic](javascript:alert(1)) ]]> -- <!-- %s %n \\";

/// A consultation launch in French, nothing special about it.
#[must_use]
pub fn launch() -> Message {
    Message {
        title: "Un parc à Wazemmes : donnez votre avis".to_owned(),
        blocks: parse_markdown(
            "La métropole veut **créer un parc** à Wazemmes.\n\nLes travaux durent *deux ans*.\n\n\
             - des arbres\n- des jeux\n\nTout est sur [la page du projet](https://lille.example/parc).",
        ),
        short: Some("Un parc à Wazemmes : donnez votre avis".to_owned()),
        actions: vec![Action::Answer { label: "Répondez à ce message".to_owned() }],
        footer: parse_markdown("Vous recevez ce message car vous l’avez demandé."),
        greeting: Some("Bonjour".to_owned()),
        language: Language::default(),
        register: Register::Standard,
        text_state: TextState::Standard,
        page: Some("https://lille.example/c/k3x9".to_owned()),
        broadcast: true,
        topic: "consultation-12".to_owned(),
    }
}

/// Someone at `address`, with all that a recipient can have.
#[must_use]
pub fn recipient(address: &str) -> Recipient {
    Recipient {
        address: address.to_owned(),
        name: Some("Zoé".to_owned()),
        token: "mfrggzdfmztwq2lknnwg23tpobyxe43u".to_owned(),
        unsubscribe: Some("https://lille.example/u/mfrggzdfmztwq2lk".to_owned()),
        preferences: Some("https://lille.example/me/mfrggzdfmztwq2lk".to_owned()),
        in_reply_to: None,
    }
}

fn options() -> Vec<Action> {
    let choose =
        |key: &str, label: &str| Action::Choose { key: key.to_owned(), label: label.to_owned() };
    vec![
        choose("1", "Plus d’arbres"),
        choose("2", "Plus de jeux"),
        choose("3", "Ni l’un ni l’autre : laissez la place comme elle est aujourd’hui"),
        Action::Link {
            label: "Voir le projet".to_owned(),
            url: "https://lille.example/parc?a=1&b=\"2\"".to_owned(),
        },
        Action::Link { label: "Plan".to_owned(), url: "http://127.0.0.1:8080/plan".to_owned() },
    ]
}

fn in_language(tag: &str, title: &str, text: &str) -> Message {
    Message {
        title: title.to_owned(),
        blocks: parse_markdown(text),
        short: None,
        language: Language::new(tag),
        greeting: None,
        ..launch()
    }
}

fn worded(text: &str) -> Message {
    Message {
        title: text.chars().filter(|c| !c.is_control()).take(200).collect(),
        blocks: parse_markdown(text),
        short: None,
        footer: parse_markdown(text),
        greeting: Some("Bonjour".to_owned()),
        actions: vec![Action::Answer { label: text.chars().take(60).collect() }],
        ..launch()
    }
}

/// Every sample.
#[must_use]
pub fn all() -> Vec<Sample> {
    let sample = |name, message| Sample { name, message, may_be_refused: false };
    let plain = |text_state| Message {
        blocks: parse_markdown("La ville crée un parc.\n\nVous pouvez donner votre avis."),
        register: Register::Plain,
        text_state,
        ..launch()
    };
    let long = "Une phrase qui dit une chose, puis une autre. ".repeat(230);
    let unbroken = "a".repeat(10_000);
    let mut samples = vec![
        sample("french", launch()),
        sample("dutch", in_language("nl", "Een park in Wazemmes", "De stad maakt *een park*.")),
        sample("english", in_language("en", "A park in Wazemmes", "The city plans **a park**.")),
        sample("a language nobody has words for", in_language("eo", "Parko", "La urbo.")),
        sample("plain, not proofread", plain(TextState::Simplified)),
        sample("plain, proofread", plain(TextState::Proofread)),
        sample("standard instead of plain", plain(TextState::StandardInstead)),
        sample("options", Message { actions: options(), ..launch() }),
        sample("a service message", Message { broadcast: false, page: None, ..launch() }),
        sample("ten kilobytes", Message { blocks: parse_markdown(&long), ..launch() }),
        sample(
            "ten kilobytes of one word",
            Message { blocks: parse_markdown(&unbroken), ..launch() },
        ),
        sample("hostile", worded(HOSTILE)),
        sample("hostile options", Message { actions: hostile_options(), ..launch() }),
        sample("emoji", worded("👩🏽‍🦽 👨‍👩‍👧‍👦 🇫🇷 ☕️ 1️⃣ ".repeat(90).as_str())),
        sample("right to left", worded("مرحبا بكم في ليل \u{202e}evil\u{202c} שלום")),
        sample("lone marks", worded("e\u{301}\u{301} \u{200b}\u{feff}\u{0} \u{fffd} \u{1f}")),
        sample("deep nesting", worded(&format!("{}fond", "> - ".repeat(60)))),
        sample("wordy title", Message { title: "Titre ".repeat(200), ..launch() }),
    ];
    samples.push(Sample {
        name: "empty",
        message: Message {
            title: String::new(),
            blocks: Vec::new(),
            short: None,
            actions: Vec::new(),
            footer: Vec::new(),
            greeting: None,
            page: None,
            ..launch()
        },
        may_be_refused: true,
    });
    samples
}

fn hostile_options() -> Vec<Action> {
    vec![
        Action::Choose { key: "oui".to_owned(), label: HOSTILE.to_owned() },
        Action::Link {
            label: HOSTILE.to_owned(),
            url: "https://lille.example/\"><script>".to_owned(),
        },
        Action::Link { label: "x".to_owned(), url: "javascript:alert(1)".to_owned() },
    ]
}

/// The hostile ways to be called and addressed.
#[must_use]
pub fn recipients(address: &str) -> Vec<Recipient> {
    let hostile =
        Recipient { name: Some(format!("Zoé\r\nBcc: x@y.z {HOSTILE}")), ..recipient(address) };
    let bare = Recipient {
        name: None,
        unsubscribe: None,
        preferences: None,
        in_reply_to: Some("<m1@example.org>".to_owned()),
        ..recipient(address)
    };
    vec![recipient(address), bare, hostile]
}

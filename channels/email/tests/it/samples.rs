use portevoix_contract::{
    Action, Language, Message, Recipient, Register, TextState, parse_markdown,
};
use portevoix_email::{Email, EmailConfig, EmailShaper, Identity, ShaperConfig, SmtpTimes};

pub fn shaper_config() -> ShaperConfig {
    ShaperConfig {
        from_name: "Métropole européenne de Lille".to_owned(),
        from_address: "participation@mel.example".to_owned(),
        reply_domain: "reponse.mel.example".to_owned(),
        layout: None,
        identity: Identity {
            name: "Métropole européenne de Lille".to_owned(),
            signature: vec![
                "Service Concertation et citoyenneté, 2 boulevard des Cités-Unies, 59040 Lille"
                    .to_owned(),
            ],
            accessibility_url: Some("https://participation.mel.example/accessibilite".to_owned()),
            privacy_url: Some("https://participation.mel.example/donnees".to_owned()),
        },
    }
}

pub fn shaper() -> EmailShaper {
    EmailShaper::new(shaper_config()).unwrap()
}

pub fn email(url: &str) -> Email {
    Email::new(config(url)).unwrap()
}

pub fn config(url: &str) -> EmailConfig {
    EmailConfig {
        shaper: shaper_config(),
        smtp_url: url.to_owned().into(),
        ca_file: None,
        hello: Some("gateway.mel.example".to_owned()),
        connections: 4,
        per_second: None,
        times: SmtpTimes::default(),
        dkim: None,
    }
}

pub fn standard() -> Message {
    Message {
        title: "Un parc au sud de Lille : donnez votre avis".to_owned(),
        blocks: parse_markdown(
            "La métropole veut ouvrir un **parc de 12 hectares** au sud de Lille. Vous pouvez dire ce que vous en attendez jusqu’au *vendredi 15 janvier 2027*.\n\n## Ce qui est proposé\n\n- des chemins pour marcher et rouler ;\n- une plaine de jeux ;\n- [le plan en détail](https://participation.mel.example/parc-sud?a=1&b=2).\n\n> L’ombre d’abord : 900 arbres seront plantés.",
        ),
        short: None,
        actions: vec![
            Action::Choose { key: "1".to_owned(), label: "D’accord".to_owned() },
            Action::Choose { key: "2".to_owned(), label: "Pas d’accord".to_owned() },
            Action::Answer { label: "Écrire ma réponse".to_owned() },
            Action::Link {
                label: "Voir la consultation".to_owned(),
                url: "https://participation.mel.example/parc-sud".to_owned(),
            },
        ],
        footer: parse_markdown(
            "Vous recevez ce courriel car vous avez choisi d’être informé·e des consultations.",
        ),
        greeting: Some("Bonjour".to_owned()),
        language: Language::new("fr"),
        register: Register::Standard,
        text_state: TextState::Standard,
        page: Some("https://participation.mel.example/c/7k2m".to_owned()),
        broadcast: true,
        topic: "parc-sud".to_owned(),
    }
}

pub fn plain() -> Message {
    Message {
        title: "Un nouveau parc à Lille".to_owned(),
        blocks: parse_markdown(
            "La métropole va faire un parc.\n\nLe parc est au sud de Lille.\n\nVous pouvez donner *votre avis*.\n\nVous avez jusqu’au vendredi 15 janvier 2027.",
        ),
        actions: vec![Action::Answer { label: "Je réponds".to_owned() }],
        footer: parse_markdown("Vous avez choisi de recevoir ces messages."),
        register: Register::Plain,
        text_state: TextState::Simplified,
        ..standard()
    }
}

pub fn recipient() -> Recipient {
    Recipient {
        address: "camille@exemple.fr".to_owned(),
        name: Some("Camille".to_owned()),
        token: "mfrggzdfmztwq2lk".to_owned(),
        unsubscribe: Some("https://participation.mel.example/u/mfrggzdfmztwq2lk".to_owned()),
        preferences: Some("https://participation.mel.example/me/mfrggzdfmztwq2lk".to_owned()),
        in_reply_to: None,
    }
}

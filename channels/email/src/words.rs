//! The few words that the mail itself brings, in the three languages of the gateway.

use portevoix_contract::{Language, TextState};

pub(crate) struct Words {
    pub falc: &'static str,
    pub simplified: &'static str,
    pub standard_instead: &'static str,
    pub just_reply: &'static str,
    /// Before buttons that prepare a reply; one idea a line.
    pub choose: [&'static str; 2],
    /// The same where there are no buttons.
    pub choose_by_key: &'static str,
    pub view_page: &'static str,
    pub preferences: &'static str,
    pub unsubscribe: &'static str,
    pub accessibility: &'static str,
    pub privacy: &'static str,
    /// Between a label and an address, as the language's typography has it.
    pub colon: &'static str,
}

const FRENCH: Words = Words {
    falc: "FALC (facile à lire et à comprendre)",
    simplified: "Version simplifiée",
    standard_instead: "Vous avez demandé des textes faciles à lire. Pour ce message, il n’y en a pas encore : nous vous envoyons le texte habituel.",
    just_reply: "Répondez simplement à ce courriel.",
    choose: [
        "Vous pouvez aussi choisir une réponse.",
        "Le bouton prépare un courriel. Il vous reste à l’envoyer.",
    ],
    choose_by_key: "Pour choisir une réponse, commencez votre courriel par :",
    view_page: "Lire ce message sur une page web",
    preferences: "Choisir ce que je reçois",
    unsubscribe: "Ne plus recevoir ces courriels",
    accessibility: "Accessibilité",
    privacy: "Vos données personnelles",
    colon: "\u{a0}:",
};

const DUTCH: Words = Words {
    falc: "FALC (makkelijk te lezen en te begrijpen)",
    simplified: "Vereenvoudigde versie",
    standard_instead: "U hebt om makkelijk te lezen teksten gevraagd. Voor dit bericht is er nog geen: wij sturen u de gewone tekst.",
    just_reply: "Antwoord gewoon op deze e-mail.",
    choose: [
        "U kunt ook een antwoord kiezen.",
        "De knop zet een e-mail klaar. U hoeft die alleen te versturen.",
    ],
    choose_by_key: "Om een antwoord te kiezen, begint u uw e-mail met:",
    view_page: "Dit bericht op een webpagina lezen",
    preferences: "Kiezen wat ik ontvang",
    unsubscribe: "Deze e-mails niet meer ontvangen",
    accessibility: "Toegankelijkheid",
    privacy: "Uw persoonsgegevens",
    colon: ":",
};

const ENGLISH: Words = Words {
    falc: "FALC (easy to read and understand)",
    simplified: "Simplified version",
    standard_instead: "You asked for easy-to-read texts. There is none yet for this message: here is the usual text.",
    just_reply: "Simply reply to this email.",
    choose: [
        "You can also choose an answer.",
        "The button prepares an email. All you have to do is send it.",
    ],
    choose_by_key: "To choose an answer, start your email with:",
    view_page: "Read this message on a web page",
    preferences: "Choose what I receive",
    unsubscribe: "Stop receiving these emails",
    accessibility: "Accessibility",
    privacy: "Your personal data",
    colon: ":",
};

impl Words {
    pub(crate) fn of(language: &Language) -> &'static Self {
        match language.as_str() {
            "nl" => &DUTCH,
            "en" => &ENGLISH,
            _ => &FRENCH,
        }
    }

    /// What may be claimed of the text, if anything has to be said.
    pub(crate) fn claim(&self, state: TextState) -> Option<&'static str> {
        match state {
            TextState::Standard => None,
            TextState::Simplified => Some(self.simplified),
            TextState::Proofread => Some(self.falc),
            TextState::StandardInstead => Some(self.standard_instead),
        }
    }
}

//! The few words that the mail itself brings, in the three languages of the gateway.

use portevoix_contract::{Language, TextState};

pub(crate) struct Words {
    pub falc: &'static str,
    pub simplified: &'static str,
    pub standard_instead: &'static str,
    pub just_reply: &'static str,
    pub choose: &'static str,
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
    choose: "Vous pouvez aussi choisir une réponse. Un courriel se prépare : il vous reste à l’envoyer.",
    view_page: "Lire ce message sur une page web",
    preferences: "Choisir ce que je reçois",
    unsubscribe: "Ne plus recevoir ces courriels",
    accessibility: "Accessibilité",
    privacy: "Vos données personnelles",
    colon: "\u{a0}: ",
};

const DUTCH: Words = Words {
    falc: "FALC (makkelijk te lezen en te begrijpen)",
    simplified: "Vereenvoudigde versie",
    standard_instead: "U hebt om makkelijk te lezen teksten gevraagd. Voor dit bericht is er nog geen: wij sturen u de gewone tekst.",
    just_reply: "Antwoord gewoon op deze e-mail.",
    choose: "U kunt ook een antwoord kiezen. Er wordt een e-mail klaargezet: u hoeft die alleen te versturen.",
    view_page: "Dit bericht op een webpagina lezen",
    preferences: "Kiezen wat ik ontvang",
    unsubscribe: "Deze e-mails niet meer ontvangen",
    accessibility: "Toegankelijkheid",
    privacy: "Uw persoonsgegevens",
    colon: ": ",
};

const ENGLISH: Words = Words {
    falc: "FALC (easy to read and understand)",
    simplified: "Simplified version",
    standard_instead: "You asked for easy-to-read texts. There is none yet for this message: here is the usual text.",
    just_reply: "Simply reply to this email.",
    choose: "You can also choose an answer. An email is prepared for you: all you have to do is send it.",
    view_page: "Read this message on a web page",
    preferences: "Choose what I receive",
    unsubscribe: "Stop receiving these emails",
    accessibility: "Accessibility",
    privacy: "Your personal data",
    colon: ": ",
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

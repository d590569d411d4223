//! The fixed words, in the languages that have them; any other gets French.

use portevoix_contract::{Language, TextState};

pub(crate) struct Words {
    pub reply: &'static str,
    pub stop: &'static str,
    pub page: &'static str,
    pub preferences: &'static str,
    pub simplified: &'static str,
    pub proofread: &'static str,
    pub standard_instead: &'static str,
    /// Shown for a second when a button was pressed.
    pub noted: &'static str,
    /// Between a label and what it names.
    pub colon: &'static str,
}

const FRENCH: Words = Words {
    reply: "Pour répondre, écrivez-nous ici, en réponse à ce message.",
    stop: "Pour ne plus recevoir ces messages, envoyez /stop",
    page: "Lire sur le site",
    preferences: "Mes préférences",
    simplified: "Version simplifiée",
    proofread: "FALC",
    standard_instead: "La version simplifiée n’est pas encore prête. Voici le texte habituel.",
    noted: "C’est noté, merci.",
    colon: "\u{a0}: ",
};

const DUTCH: Words = Words {
    reply: "Wilt u antwoorden? Schrijf ons hier, als antwoord op dit bericht.",
    stop: "Wilt u deze berichten niet meer krijgen? Stuur /stop",
    page: "Lezen op de website",
    preferences: "Mijn voorkeuren",
    simplified: "Vereenvoudigde versie",
    proofread: "FALC",
    standard_instead: "De vereenvoudigde versie is nog niet klaar. Dit is de gewone tekst.",
    noted: "Genoteerd, dank u.",
    colon: ": ",
};

const ENGLISH: Words = Words {
    reply: "To answer, write to us here, in reply to this message.",
    stop: "To stop receiving these messages, send /stop",
    page: "Read on the website",
    preferences: "My preferences",
    simplified: "Simplified version",
    proofread: "FALC",
    standard_instead: "The simplified version is not ready yet. This is the usual text.",
    noted: "Noted, thank you.",
    colon: ": ",
};

pub(crate) fn words(language: &Language) -> &'static Words {
    match language.as_str() {
        "nl" => &DUTCH,
        "en" => &ENGLISH,
        _ => &FRENCH,
    }
}

impl Words {
    pub(crate) fn label(&self, state: TextState) -> Option<&'static str> {
        match state {
            TextState::Standard => None,
            TextState::Simplified => Some(self.simplified),
            TextState::Proofread => Some(self.proofread),
            TextState::StandardInstead => Some(self.standard_instead),
        }
    }
}

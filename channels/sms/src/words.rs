//! The few words that a text message needs of its own, in the languages of the metropolis.

use portevoix_contract::{Language, Register};

/// All of them in GSM-7, so that they never cost a text its encoding.
pub(crate) struct Words {
    answer: &'static str,
    pick: &'static str,
    is_for: &'static str,
    or_words: &'static str,
    stop_by_reply: &'static str,
    stop_to: &'static str,
    stop_plain: &'static str,
    /// What someone who asked for plain language reads above a standard text.
    pub not_plain: &'static str,
    colon: &'static str,
}

const FRENCH: Words = Words {
    answer: "Répondez à ce SMS.",
    pick: "Répondez",
    is_for: "pour",
    or_words: "ou écrivez votre avis",
    stop_by_reply: "Refus : répondez STOP",
    stop_to: "STOP au",
    stop_plain: "Pour ne plus recevoir de SMS : répondez STOP",
    not_plain: "Ce texte n'existe pas en version simplifiée.",
    colon: " : ",
};

const DUTCH: Words = Words {
    answer: "Antwoord op deze sms.",
    pick: "Antwoord",
    is_for: "voor",
    or_words: "of schrijf uw mening",
    stop_by_reply: "Afmelden: antwoord STOP",
    stop_to: "STOP naar",
    stop_plain: "Geen sms meer krijgen: antwoord STOP",
    not_plain: "Deze tekst bestaat niet in eenvoudige taal.",
    colon: ": ",
};

const ENGLISH: Words = Words {
    answer: "Reply to this text.",
    pick: "Reply",
    is_for: "for",
    or_words: "or write your view",
    stop_by_reply: "Opt out: reply STOP",
    stop_to: "STOP to",
    stop_plain: "To get no more texts: reply STOP",
    not_plain: "This text has no plain version.",
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

    /// How to answer: the options with their labels, words of one's own, or both.
    pub(crate) fn answers(
        &self,
        options: &[(&str, &str)],
        own_words: bool,
        register: Register,
    ) -> String {
        if options.is_empty() {
            return if own_words { self.answer.to_owned() } else { String::new() };
        }
        let says = |(key, label): &(&str, &str), between: &str| {
            if label.is_empty() || key.eq_ignore_ascii_case(label) {
                (*key).to_owned()
            } else {
                format!("{key}{between}{label}")
            }
        };
        match register {
            Register::Standard => {
                let mut list: Vec<String> =
                    options.iter().map(|option| says(option, " ")).collect();
                if own_words {
                    list.push(self.or_words.to_owned());
                }
                format!("{} {}", self.pick, list.join(", "))
            }
            // one idea a line
            Register::Plain => {
                let between = format!(" {} ", self.is_for);
                let lines: Vec<String> = options
                    .iter()
                    .map(|option| format!("{} {}", self.pick, says(option, &between)))
                    .chain(own_words.then(|| self.or_words.to_owned()))
                    .collect();
                lines.join("\n")
            }
        }
    }

    /// How to object, free and simple.
    pub(crate) fn stop(&self, number: Option<&str>, register: Register) -> String {
        match (number, register) {
            (Some(number), _) => format!("{} {number}", self.stop_to),
            (None, Register::Plain) => self.stop_plain.to_owned(),
            (None, Register::Standard) => self.stop_by_reply.to_owned(),
        }
    }

    pub(crate) fn link(&self, label: &str, url: &str) -> String {
        if label.is_empty() { url.to_owned() } else { format!("{label}{}{url}", self.colon) }
    }
}

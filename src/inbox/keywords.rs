//! The words by which a citizen steers the gateway itself, on any channel.

use super::mail::fold;

/// What a citizen asks of the gateway, apart from any consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// Write no more on this channel. Takes effect at once, is confirmed at most once and is never
    /// a contribution.
    Stop,
    /// Write again.
    Start,
    /// Who writes, and how to reach them.
    Help,
    /// Take back what I contributed.
    Withdraw,
}

/// The charter's and the operators' words: keywords alone or as the first word, whatever follows.
/// That makes "Stop aux voitures" an objection too. The rule stands so on purpose: an opinion can
/// be written again, but a message sent after somebody said STOP cannot be taken back. The inbox
/// can tell by [`says_more`] that there was more, and say so in its one confirmation.
const FIRST: &[(&str, Keyword)] = &[
    ("STOP", Keyword::Stop),
    ("STOPSMS", Keyword::Stop),
    ("ARRET", Keyword::Stop),
    ("DESABONNER", Keyword::Stop),
    ("DESINSCRIPTION", Keyword::Stop),
    ("AIDE", Keyword::Help),
    ("CONTACT", Keyword::Help),
    ("INFO", Keyword::Help),
    ("START", Keyword::Start),
    ("REPRISE", Keyword::Start),
];

/// Words that also begin ordinary opinions ("Retirer les bancs", "Help children cross"): keywords
/// only where nothing but courtesy follows.
const ALONE: &[(&str, Keyword)] = &[
    ("ARRETER", Keyword::Stop),
    ("DESABONNEMENT", Keyword::Stop),
    ("DESINSCRIRE", Keyword::Stop),
    ("UNSUBSCRIBE", Keyword::Stop),
    ("AFMELDEN", Keyword::Stop),
    ("UITSCHRIJVEN", Keyword::Stop),
    ("HELP", Keyword::Help),
    ("RETIRER", Keyword::Withdraw),
    ("WITHDRAW", Keyword::Withdraw),
    ("INTREKKEN", Keyword::Withdraw),
];

/// What may stand beside a keyword and says nothing more.
const COURTESY: &[&str] = &[
    "SMS",
    "MERCI",
    "SVP",
    "STP",
    "SIL",
    "S",
    "IL",
    "VOUS",
    "TE",
    "PLAIT",
    "BONJOUR",
    "LES",
    "MES",
    "MA",
    "MON",
    "MESSAGES",
    "REPONSE",
    "REPONSES",
    "CONTRIBUTION",
    "CONTRIBUTIONS",
    "AVIS",
    "PLEASE",
    "THANKS",
    "THANK",
    "YOU",
    "MY",
    "ANSWER",
    "BEDANKT",
    "AUB",
    "MIJN",
    "ANTWOORD",
];

/// The keyword that a text is, or begins with; none: it is something to read. Case, accents and
/// punctuation don't count.
#[must_use]
pub fn keyword(text: &str) -> Option<Keyword> {
    let words = folded(text);
    let first = words.first()?;
    let found = |table: &[(&str, Keyword)]| {
        table.iter().find(|(word, _)| word == first).map(|(_, keyword)| *keyword)
    };
    found(FIRST).or_else(|| found(ALONE).filter(|_| only_courtesy(&words[1..])))
}

/// Whether a text that begins with a keyword goes on with words of its own.
#[must_use]
pub fn says_more(text: &str) -> bool {
    folded(text).get(1..).is_some_and(|rest| !only_courtesy(rest))
}

fn only_courtesy(words: &[String]) -> bool {
    words.iter().all(|word| {
        COURTESY.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn folded(text: &str) -> Vec<String> {
    fold(text)
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_known_in_every_dress() {
        for (text, expected) in [
            ("STOP", Some(Keyword::Stop)),
            (" stop. ", Some(Keyword::Stop)),
            ("« Stop » !", Some(Keyword::Stop)),
            ("STOP SMS", Some(Keyword::Stop)),
            ("StopSMS", Some(Keyword::Stop)),
            ("Stop, merci", Some(Keyword::Stop)),
            ("STOP 36180", Some(Keyword::Stop)),
            ("arrêt", Some(Keyword::Stop)),
            ("arre\u{302}t", Some(Keyword::Stop)),
            ("Désabonner", Some(Keyword::Stop)),
            ("DÉSINSCRIPTION svp", Some(Keyword::Stop)),
            ("Stop aux voitures dans le parc", Some(Keyword::Stop)),
            ("Aide", Some(Keyword::Help)),
            ("contact ?", Some(Keyword::Help)),
            ("/start", Some(Keyword::Start)),
            ("Reprise", Some(Keyword::Start)),
            ("RETIRER", Some(Keyword::Withdraw)),
            ("retirer ma réponse svp", Some(Keyword::Withdraw)),
            ("Retirer les bancs du parc", None),
            ("Help children cross the road", None),
            ("Je voudrais un stop au carrefour", None),
            ("Stopper le projet", None),
            ("Informations", None),
            ("1", None),
            ("", None),
            ("🌳", None),
        ] {
            assert_eq!(keyword(text), expected, "{text}");
        }
    }

    #[test]
    fn more_than_courtesy_is_noticed() {
        assert!(says_more("Stop aux voitures dans le parc"));
        assert!(!says_more("STOP SMS merci"));
        assert!(!says_more("Stop 36180"));
        assert!(!says_more("stop"));
    }
}

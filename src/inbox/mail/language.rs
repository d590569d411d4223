//! The language of an answer, by its little words: a vote that abstains when it is unsure.

use super::fold::{fold, head};
use super::phrases::Table;

const FILE: &str = include_str!("phrases/languages.txt");

static LANGUAGES: [(&str, Table); 8] = [
    ("fr", Table::new(FILE, "fr")),
    ("en", Table::new(FILE, "en")),
    ("nl", Table::new(FILE, "nl")),
    ("de", Table::new(FILE, "de")),
    ("es", Table::new(FILE, "es")),
    ("pt", Table::new(FILE, "pt")),
    ("it", Table::new(FILE, "it")),
    ("pl", Table::new(FILE, "pl")),
];

/// A BCP 47 tag, or none where the text is too short or too mixed to tell.
pub(in crate::inbox) fn detect(text: &str) -> Option<&'static str> {
    let text = head(text, 4_000);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let arabic = text.chars().filter(|c| matches!(c, '\u{600}'..='\u{6ff}')).count();
    if arabic >= 4 && arabic * 2 > letters {
        return Some("ar");
    }
    let mut votes = [0_usize; LANGUAGES.len()];
    let mut words = 0;
    for line in text.lines().filter(|line| !line.starts_with('>')) {
        let folded = fold(line);
        for word in folded
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .filter(|word| !word.is_empty())
        {
            words += 1;
            let elided = word.find('\'').map(|at| word.split_at(at + 1));
            let (elided, rest) = elided.unwrap_or((word, ""));
            for (vote, (_, known)) in votes.iter_mut().zip(&LANGUAGES) {
                *vote += usize::from(known.has(elided)) + usize::from(known.has(rest));
            }
        }
    }
    let (best, most) = votes.iter().enumerate().max_by_key(|(_, votes)| **votes)?;
    let second = votes
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != best)
        .map(|(_, votes)| *votes)
        .max()
        .unwrap_or(0);
    let sure = if words <= 3 { *most >= 1 && second == 0 } else { *most >= 2 && *most > second };
    sure.then(|| LANGUAGES[best].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_languages_and_silence() {
        for (text, language) in [
            ("Je suis d'accord avec ce projet, mais il faut plus de bancs.", Some("fr")),
            ("I think there should be more trees in the park.", Some("en")),
            ("Ik vind het een goed plan, maar niet voor de auto's.", Some("nl")),
            ("Ich bin dafür, aber die Straße ist nicht sicher.", Some("de")),
            ("Me parece muy bien, pero hay que pensar en los niños.", Some("es")),
            ("Concordo com o projeto, mas não há bancos para os idosos.", Some("pt")),
            (
                "Sono d'accordo con il progetto, ma non ci sono panchine per gli anziani.",
                Some("it"),
            ),
            ("Jestem za, ale nie ma tam ławek dla starszych.", Some("pl")),
            ("أوافق على مشروع الحديقة", Some("ar")),
            ("Oui", Some("fr")),
            ("42", None),
            ("", None),
        ] {
            assert_eq!(detect(text), language, "{text}");
        }
    }
}

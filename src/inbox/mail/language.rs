//! The language of an answer, by its little words: a vote that abstains when it is unsure.

use super::fold::{fold, head};

/// Little words of each language, folded; the rarer a word is elsewhere, the better.
const LANGUAGES: &[(&str, &[&str])] = &[
    (
        "fr",
        &[
            "le", "la", "les", "des", "une", "est", "pas", "pour", "que", "qui", "je", "vous",
            "nous", "dans", "avec", "sur", "au", "aux", "du", "et", "ce", "cette", "il", "mais",
            "ou", "plus", "tres", "bonjour", "merci", "ne", "mon", "ma", "votre", "suis", "sont",
            "oui", "non", "d'accord", "faut", "serait", "bien", "sans", "c'est", "j'ai", "il y a",
            "etre", "un", "en", "sa", "ses",
        ],
    ),
    (
        "en",
        &[
            "the", "and", "is", "are", "of", "to", "in", "for", "that", "this", "with", "you",
            "we", "i", "it", "not", "have", "would", "be", "on", "please", "thank", "thanks",
            "hello", "yes", "my", "your", "should", "there", "but", "at", "was", "i'm", "don't",
        ],
    ),
    (
        "nl",
        &[
            "het", "een", "ik", "niet", "van", "dat", "en", "voor", "met", "zijn", "is", "op",
            "aan", "wij", "jullie", "maar", "ook", "goed", "dag", "bedankt", "mijn", "uw", "zou",
            "wel", "naar", "geen", "deze", "meer", "graag", "de", "ja", "nee", "bij", "om", "te",
        ],
    ),
    (
        "de",
        &[
            "der", "die", "das", "und", "ist", "nicht", "ich", "sie", "ein", "eine", "mit", "fur",
            "auf", "zu", "den", "dem", "von", "wir", "auch", "aber", "guten", "danke", "ja",
            "nein", "mein", "ihre", "bitte", "sind", "es", "im", "wurde", "mehr", "sehr", "hallo",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "las", "una", "es", "no", "que", "por", "para", "con", "del", "pero",
            "muy", "gracias", "hola", "buenos", "dias", "mi", "su", "usted", "y", "esta", "mas",
            "yo", "si", "como", "un", "en", "la", "de", "me", "este", "hay",
        ],
    ),
    (
        "pt",
        &[
            "os", "as", "uma", "nao", "que", "por", "para", "com", "do", "da", "mas", "muito",
            "obrigado", "obrigada", "ola", "bom", "dia", "meu", "minha", "voce", "e", "esta",
            "mais", "eu", "sim", "um", "em", "no", "na", "dos", "ao", "sao",
        ],
    ),
    (
        "it",
        &[
            "il",
            "gli",
            "una",
            "non",
            "che",
            "per",
            "con",
            "del",
            "della",
            "ma",
            "molto",
            "grazie",
            "buongiorno",
            "ciao",
            "mio",
            "mia",
            "e",
            "sono",
            "piu",
            "io",
            "di",
            "un",
            "la",
            "si",
            "questo",
            "anche",
            "nel",
            "le",
            "essere",
            "vorrei",
            "ho",
            "i",
        ],
    ),
    (
        "pl",
        &[
            "nie", "jest", "na", "do", "sie", "to", "ze", "i", "w", "z", "dzien", "dobry",
            "dziekuje", "prosze", "moj", "moja", "ale", "bardzo", "tak", "dla", "co", "jak", "mam",
            "czy", "przez", "po", "oraz", "jestem", "aby", "tym",
        ],
    ),
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
            for (vote, (_, known)) in votes.iter_mut().zip(LANGUAGES) {
                *vote += usize::from(known.contains(&word));
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

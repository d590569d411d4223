//! French, Dutch and English texts into GSM-7, so that one circumflex does not halve the room.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::segments::in_gsm7;

/// Marks that have an equal in GSM-7. Letters are not listed: those that GSM-7 lacks lose their
/// accent (`ê` → `e`, `ç` → `c`, `À` → `A`), those it has keep it (`é à è ù É`).
const MARKS: &[(char, &str)] = &[
    ('‘', "'"),
    ('’', "'"),
    ('‚', "'"),
    ('‛', "'"),
    ('′', "'"),
    ('‹', "'"),
    ('›', "'"),
    ('`', "'"),
    ('´', "'"),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('‟', "\""),
    ('″', "\""),
    ('«', "\""),
    ('»', "\""),
    ('…', "..."),
    ('•', "-"),
    ('\u{2212}', "-"),
    // inclusive writing: citoyen·ne·s
    ('·', "."),
    ('œ', "oe"),
    ('Œ', "OE"),
    ('ĳ', "ij"),
    ('Ĳ', "IJ"),
    ('×', "x"),
    ('²', "2"),
    ('³', "3"),
    ('½', "1/2"),
    ('¼', "1/4"),
    ('¾', "3/4"),
    ('\t', " "),
    ('\u{a0}', " "),
    ('\u{202f}', " "),
    ('\u{205f}', " "),
    ('\u{3000}', " "),
    ('\u{2028}', "\n"),
    ('\u{2029}', "\n"),
    ('\u{ad}', ""),
    ('\u{200b}', ""),
    ('\u{2060}', ""),
    ('\u{feff}', ""),
];

/// The same words with GSM-7's characters wherever there is an equal one, after NFC. What has no
/// equal (emoji, other scripts) stays, and the text then stays UCS-2.
#[must_use]
pub fn transliterate(text: &str) -> String {
    let mut latin = String::with_capacity(text.len());
    for char in text.nfc() {
        if in_gsm7(char) {
            latin.push(char);
        } else if let Some((_, equal)) = MARKS.iter().find(|(mark, _)| *mark == char) {
            latin.push_str(equal);
        } else {
            match char {
                '\u{2000}'..='\u{200a}' => latin.push(' '),
                '\u{2010}'..='\u{2015}' => latin.push('-'),
                // numéro: n° 12
                '°' | 'º' if latin.ends_with(['n', 'N']) => latin.push('o'),
                _ => latin.push(without_accent(char)),
            }
        }
    }
    latin
}

/// The base letter, where taking the accents off leaves an ASCII letter.
pub(crate) fn without_accent(char: char) -> char {
    let mut parts = std::iter::once(char).nfd();
    match parts.next() {
        Some(base) if base.is_ascii_alphabetic() && parts.all(is_combining_mark) => base,
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn french_keeps_what_gsm7_has_and_loses_the_rest() {
        for (text, latin) in [
            ("« L’été à la forêt… »", "\" L'été à la foret... \""),
            ("Français, leçon, Ça", "Francais, lecon, Ça"),
            ("cœur, Œuvre", "coeur, OEuvre"),
            ("âêîôûëï ÀÈÙ", "aeiouei AEU"),
            ("èéùàÉ", "èéùàÉ"),
            ("le 12 – 15 — h\u{a0}30\u{202f}!", "le 12 - 15 - h 30 !"),
            ("“vóór” ‘één’ reünie", "\"voor\" 'één' reünie"),
            ("e\u{301}te\u{301} fore\u{302}t", "été foret"),
            ("n°\u{a0}12, citoyen·ne·s, 30\u{a0}m²", "no 12, citoyen.ne.s, 30 m2"),
            ("un arbre 🌳", "un arbre 🌳"),
        ] {
            assert_eq!(transliterate(text), latin);
        }
    }

    proptest! {
        #[test]
        fn french_always_fits_gsm7_and_twice_changes_nothing(
            text in "[a-zA-Z0-9 .,;:!?'’‘“”«»…–—éèêëàâäùûüôöîïçœæÉÈÊËÀÂÄÙÛÜÔÖÎÏÇŒÆ\u{a0}\u{202f}€]{0,300}"
        ) {
            let latin = transliterate(&text);
            prop_assert!(latin.chars().all(in_gsm7));
            prop_assert_eq!(transliterate(&latin), latin);
        }
    }
}

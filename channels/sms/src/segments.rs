//! How many short messages a text takes: GSM 03.38 (3GPP TS 23.038) and UCS-2, alone or
//! concatenated (3GPP TS 23.040, six octets of user data header in each part).

use serde::{Deserialize, Serialize};

use crate::transliterate::transliterate;

/// The default alphabet at its code points, 0x1B (escape) left out of reach by a NUL.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\0ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Reached by the escape code: two units each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How a text goes over the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Septets of GSM 03.38: 160 alone, 153 in each part of a longer text.
    Gsm7,
    /// UTF-16 units: 70 alone, 67 in each part of a longer text.
    Ucs2,
}

impl Encoding {
    /// Units that one message alone may hold.
    #[must_use]
    pub const fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units that each part of a concatenated message may hold.
    #[must_use]
    pub const fn part(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    /// The encoding that the text needs.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.chars().all(in_gsm7) { Self::Gsm7 } else { Self::Ucs2 }
    }

    fn units(self, char: char) -> usize {
        match self {
            Self::Gsm7 => 1 + usize::from(EXTENSION.contains(char)),
            Self::Ucs2 => char.len_utf16(),
        }
    }
}

/// Whether GSM 03.38 has the character, in its basic or its extension table. `ç` is outside: the
/// standard names code 0x09 `Ç`.
#[must_use]
pub fn in_gsm7(char: char) -> bool {
    match char {
        '\0' | '`' => false,
        ' '..='~' => true,
        _ => BASIC.contains(char) || EXTENSION.contains(char),
    }
}

/// What a text costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    pub encoding: Encoding,
    /// Septets (extension characters count two) or UTF-16 units.
    pub units: usize,
    /// Messages billed; an empty text is still one.
    pub segments: usize,
}

/// Measures a text as it stands.
#[must_use]
pub fn cost(text: &str) -> Cost {
    let encoding = Encoding::of(text);
    let units = text.chars().map(|char| encoding.units(char)).sum();
    Cost { encoding, units, segments: cuts(text, encoding, units).len() }
}

/// The parts in which the text travels: joined, they are the text. No part cuts an extension
/// character or a surrogate pair in two.
#[must_use]
pub fn split(text: &str) -> Vec<String> {
    let encoding = Encoding::of(text);
    let units = text.chars().map(|char| encoding.units(char)).sum();
    let mut start = 0;
    cuts(text, encoding, units)
        .into_iter()
        .map(|end| {
            let part = text[start..end].to_owned();
            start = end;
            part
        })
        .collect()
}

/// Byte offsets at which the parts end.
fn cuts(text: &str, encoding: Encoding, units: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    if units > encoding.alone() {
        let mut filled = 0;
        for (offset, char) in text.char_indices() {
            let more = encoding.units(char);
            if filled + more > encoding.part() {
                ends.push(offset);
                filled = 0;
            }
            filled += more;
        }
    }
    ends.push(text.len());
    ends
}

/// What `inspect sms` shows: the text as it stands, and what transliteration would make of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsInspection {
    #[serde(flatten)]
    pub cost: Cost,
    pub transliterated: TransliteratedText,
}

/// The transliterated text and its cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransliteratedText {
    #[serde(flatten)]
    pub cost: Cost,
    pub text: String,
}

/// Measures a text, as it stands and transliterated.
#[must_use]
pub fn inspect(text: &str) -> SmsInspection {
    let latin = transliterate(text);
    SmsInspection {
        cost: cost(text),
        transliterated: TransliteratedText { cost: cost(&latin), text: latin },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(text: &str) -> (Encoding, usize, usize) {
        let Cost { encoding, units, segments } = cost(text);
        (encoding, units, segments)
    }

    #[test]
    fn the_table_is_the_standards() {
        let table: Vec<char> = BASIC.chars().collect();
        assert_eq!(table.len(), 128);
        for (code, char) in [
            (0x00, '@'),
            (0x04, 'è'),
            (0x05, 'é'),
            (0x06, 'ù'),
            (0x09, 'Ç'),
            (0x0A, '\n'),
            (0x10, 'Δ'),
            (0x1B, '\0'),
            (0x1F, 'É'),
            (0x20, ' '),
            (0x24, '¤'),
            (0x40, '¡'),
            (0x41, 'A'),
            (0x5B, 'Ä'),
            (0x5F, '§'),
            (0x60, '¿'),
            (0x61, 'a'),
            (0x7B, 'ä'),
            (0x7F, 'à'),
        ] {
            assert_eq!(table[code], char, "{code:#04x}");
        }
        for char in "çâêîôûëïœÀÈÙ«»’‘“”…–—\u{a0}\u{202f}`\t\0".chars() {
            assert!(!in_gsm7(char), "{char:?}");
        }
        for char in "àèéùÉäöñüÄÖÑÜåÅøØæÆßòì¿¡§¤£¥$Ç^{}\\[]~|€".chars()
        {
            assert!(in_gsm7(char), "{char:?}");
        }
        // every printable ASCII character but the grave accent is in one of the tables
        for char in (' '..='~').filter(|char| *char != '`') {
            assert!(BASIC.contains(char) || EXTENSION.contains(char), "{char:?}");
        }
    }

    #[test]
    fn french_texts_have_exact_figures() {
        use Encoding::{Gsm7, Ucs2};
        for (text, expected) in [
            ("", (Gsm7, 0, 1)),
            ("Votre avis a été reçu.", (Ucs2, 22, 1)),
            ("Répondez 1 oui, 2 non", (Gsm7, 21, 1)),
            ("5 €", (Gsm7, 4, 1)),
            ("Forêt", (Ucs2, 5, 1)),
            ("L’été à la MEL", (Ucs2, 14, 1)),
            ("🌳", (Ucs2, 2, 1)),
        ] {
            assert_eq!(figures(text), expected, "{text}");
        }
        assert_eq!(figures(&"é".repeat(160)), (Gsm7, 160, 1));
        assert_eq!(figures(&"é".repeat(161)), (Gsm7, 161, 2));
        assert_eq!(figures(&"a".repeat(306)), (Gsm7, 306, 2));
        assert_eq!(figures(&"a".repeat(307)), (Gsm7, 307, 3));
        assert_eq!(figures(&"ê".repeat(70)), (Ucs2, 70, 1));
        assert_eq!(figures(&"ê".repeat(71)), (Ucs2, 71, 2));
        assert_eq!(figures(&"ê".repeat(134)), (Ucs2, 134, 2));
        assert_eq!(figures(&"ê".repeat(135)), (Ucs2, 135, 3));
    }

    #[test]
    fn nothing_that_counts_two_is_cut() {
        // 80 euros are 160 septets: one message; 153 is odd, so a part holds only 76 of them
        assert_eq!(figures(&"€".repeat(80)), (Encoding::Gsm7, 160, 1));
        assert_eq!(figures(&"€".repeat(153)), (Encoding::Gsm7, 306, 3));
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(152));
        assert_eq!(figures(&text), (Encoding::Gsm7, 306, 3));
        assert_eq!(split(&text)[0], "a".repeat(152));
        assert_eq!(figures(&"🌳".repeat(35)), (Encoding::Ucs2, 70, 1));
        assert_eq!(figures(&"🌳".repeat(67)), (Encoding::Ucs2, 134, 3));
        assert_eq!(split(&"🌳".repeat(67))[0].chars().count(), 33);
    }

    #[test]
    fn an_inspection_has_the_contracts_shape() {
        let shown = serde_json::to_value(inspect("« Ça » : cœur…")).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({
                "encoding": "ucs2", "units": 14, "segments": 1,
                "transliterated": {
                    "encoding": "gsm7", "units": 17, "segments": 1, "text": "\" Ça \" : coeur..."
                }
            })
        );
    }

    proptest! {
        #[test]
        fn parts_join_to_the_text_and_each_fits(
            text in "([a-zé €{}|ê🌳👩‍🌾]|[[:alpha:]]|\\PC){0,500}"
        ) {
            let parts = split(&text);
            let Cost { encoding, units, segments } = cost(&text);
            prop_assert_eq!(parts.concat(), text.clone());
            prop_assert_eq!(parts.len(), segments);
            let room = if segments == 1 { encoding.alone() } else { encoding.part() };
            let sizes: Vec<usize> = parts
                .iter()
                .map(|part| part.chars().map(|char| encoding.units(char)).sum())
                .collect();
            prop_assert!(sizes.iter().all(|size| *size <= room));
            prop_assert_eq!(sizes.iter().sum::<usize>(), units);
            // only a character of two units that does not fit leaves a unit empty
            for size in &sizes[..sizes.len() - 1] {
                prop_assert!(room - size <= 1);
            }
            if encoding == Encoding::Ucs2 {
                prop_assert_eq!(units, text.encode_utf16().count());
            }
        }

        #[test]
        fn extension_characters_never_straddle(text in "[a€{]{140,700}") {
            for part in split(&text) {
                prop_assert!(part.chars().map(|char| Encoding::Gsm7.units(char)).sum::<usize>() <= 160);
            }
            prop_assert_eq!(split(&text).concat(), text);
        }
    }
}

//! Folding: what two spellings of one phrase have in common.
//!
//! Every table of this room is written folded (lower case, no accents, single spaces), so that
//! `A ÉCRIT`, `a écrit` and `a ecrit` with a decomposed accent or a no-break space are one phrase.

/// What a classifier looks at of one line, in bytes; no line written by a mail program to
/// introduce a quotation is longer, and the bound keeps the reader linear.
pub(super) const GLANCE: usize = 1_000;

/// Lower case without accents; every run of white space is one space; ends trimmed. At most
/// [`GLANCE`] bytes of the input are read.
pub(in crate::inbox) fn fold(text: &str) -> String {
    let text = head(text, GLANCE);
    super::steps::count(text.len());
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() || c == '\u{feff}' {
            space = true;
            continue;
        }
        if invisible(c) {
            continue;
        }
        if space && !out.is_empty() {
            out.push(' ');
        }
        space = false;
        push_folded(&mut out, c);
    }
    out
}

/// The first bytes of a text, cut where a character ends.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Combining accents, direction marks, Arabic vowel signs: present or not without a difference.
fn invisible(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{64b}'..='\u{652}' | '\u{640}' | '\u{ad}')
}

fn push_folded(out: &mut String, c: char) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    for low in c.to_lowercase() {
        let plain = match low {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ą' | 'ạ' | 'ă' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ď' | 'đ' => "d",
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' | 'ế' | 'ẹ' => "e",
            'ğ' => "g",
            'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
            'ł' => "l",
            'ñ' | 'ń' | 'ň' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => "o",
            'ř' => "r",
            'ś' | 'š' | 'ş' => "s",
            'ß' => "ss",
            'ť' => "t",
            'ù' | 'ú' | 'û' | 'ü' | 'ů' | 'ű' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            'œ' => "oe",
            'æ' => "ae",
            '’' | '‘' | 'ʼ' | '´' => "'",
            '“' | '”' | '„' => "\"",
            '–' | '—' | '−' | '‐' | '‑' => "-",
            'أ' | 'إ' | 'آ' => "ا",
            'ى' => "ي",
            '٠'..='٩' => {
                out.push(char::from(b'0' + (u32::from(low) - u32::from('٠')) as u8));
                continue;
            }
            other if invisible(other) => continue,
            other => {
                out.push(other);
                continue;
            }
        };
        out.push_str(plain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_phrase_in_many_spellings() {
        for spelling in ["a écrit :", "A ÉCRIT\u{a0}:", "a  e\u{301}crit\u{202f}:", " a ecrit :\r"]
        {
            assert_eq!(fold(spelling), "a ecrit :");
        }
        assert_eq!(fold("L’œuvre — Łódź"), "l'oeuvre - lodz");
    }

    #[test]
    fn a_long_line_is_only_glanced_at() {
        assert!(fold(&"é".repeat(10_000)).len() <= GLANCE);
    }
}

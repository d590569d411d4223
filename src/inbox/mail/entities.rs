//! Character references of HTML: the numeric ones and those names that mails use.

use std::borrow::Cow;

/// The longest name of the table, and room for a number.
const LONGEST: usize = 10;

pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let name_len = tail
            .bytes()
            .take(LONGEST)
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'#')
            .count();
        match reference(&tail[..name_len]) {
            Some(character) => {
                out.push(character);
                rest = &tail[name_len..];
                rest = rest.strip_prefix(';').unwrap_or(rest);
            }
            None => {
                out.push('&');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return windows(code).or_else(|| char::from_u32(code)).filter(|c| *c != '\0');
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}

/// Numbers from 128 to 159 mean Windows-1252 wherever they occur.
fn windows(code: u32) -> Option<char> {
    Some(match code {
        128 => '€',
        133 => '…',
        145 => '‘',
        146 => '’',
        147 => '“',
        148 => '”',
        149 => '•',
        150 => '–',
        151 => '—',
        156 => 'œ',
        140 => 'Œ',
        _ => return None,
    })
}

const NAMES: &[(&str, char)] = &[
    ("nbsp", '\u{a0}'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("agrave", 'à'),
    ("acirc", 'â'),
    ("aacute", 'á'),
    ("auml", 'ä'),
    ("ccedil", 'ç'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("iacute", 'í'),
    ("ocirc", 'ô'),
    ("ouml", 'ö'),
    ("oacute", 'ó'),
    ("otilde", 'õ'),
    ("atilde", 'ã'),
    ("ugrave", 'ù'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("uacute", 'ú'),
    ("szlig", 'ß'),
    ("ntilde", 'ñ'),
    ("oelig", 'œ'),
    ("OElig", 'Œ'),
    ("aelig", 'æ'),
    ("Eacute", 'É'),
    ("Egrave", 'È'),
    ("Ecirc", 'Ê'),
    ("Agrave", 'À'),
    ("Acirc", 'Â'),
    ("Ccedil", 'Ç'),
    ("Ocirc", 'Ô'),
    ("Ouml", 'Ö'),
    ("Auml", 'Ä'),
    ("Uuml", 'Ü'),
    ("Icirc", 'Î'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("bull", '•'),
    ("middot", '·'),
    ("euro", '€'),
    ("deg", '°'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("ordm", 'º'),
    ("ordf", 'ª'),
    ("sup2", '²'),
    ("thinsp", '\u{2009}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("shy", '\u{ad}'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("times", '×'),
    ("frac12", '½'),
    ("rarr", '→'),
    ("larr", '←'),
    ("pound", '£'),
    ("sect", '§'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_neither() {
        assert_eq!(
            decode("d&eacute;j&agrave; &#8364;&#x20AC;&#146; R&D & co &bogus; &"),
            "déjà €€’ R&D & co &bogus; &"
        );
    }
}

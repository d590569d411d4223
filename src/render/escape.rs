use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value, value::ValueKind};

/// Stands for the event's body while the template is rendered. A private-use character, which is
/// taken out of every value, so that no one else can write it.
const MARK: char = '\u{E000}';
/// What `{{ body }}` is.
pub(super) const BODY: &str = "\u{E000}body\u{E000}";

/// Name of the escaping that bodies use; titles and short texts use none.
pub(super) const MARKDOWN: &str = "markdown";

/// One line of words: white space collapsed, control characters and the mark taken out.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c != '\u{A0}' && c != '\u{202F}' && c.is_whitespace()) {
        let from = line.len();
        line.extend(word.chars().filter(|c| !c.is_control() && *c != MARK));
        if line.len() > from && from > 0 {
            line.insert(from, ' ');
        }
    }
    line.trim().to_owned()
}

/// The words as CommonMark that shows exactly them: every ASCII punctuation character can be
/// escaped there.
pub(super) fn markdown(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// How every `{{ value }}` is written. An absent value is an error rather than a gap in a sentence.
pub(super) fn formatter(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let written = match value.kind() {
        ValueKind::String if value.is_safe() => out.write_str(value.as_str().unwrap_or_default()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if matches!(state.auto_escape(), AutoEscape::Custom(name) if name == MARKDOWN) {
                out.write_str(&markdown(text))
            } else {
                out.write_str(&one_line(text))
            }
        }
        ValueKind::Number => out.write_str(&value.to_string()),
        kind => {
            let why = format!("a value that is {kind} can't be shown");
            return Err(Error::new(ErrorKind::InvalidOperation, why));
        }
    };
    written.map_err(|_| Error::from(ErrorKind::WriteFailure))
}

#[cfg(test)]
mod tests {
    use portevoix_contract::{parse_markdown, plain_text};

    use super::*;

    #[test]
    fn any_line_survives_markdown_unchanged() {
        for text in [
            "1. # *a* _b_ [x](javascript:alert(1)) <b>&amp;</b> `c` ![i](u) ~~d~~ | e | \\ {{ 7*7 }}",
            "- liste",
            "+ plus",
            "> cité",
            "# titre",
            "=== souligné",
            "<script>alert(1)</script>",
            "12) douze",
            "[ref]: http://x",
            "    quatre espaces".trim(),
            "***",
            "fin\\",
        ] {
            assert_eq!(plain_text(&parse_markdown(&markdown(text))), text);
        }
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(one_line("\u{a0}"), "");
        assert_eq!(one_line("  a\n\n# b\u{7}\t\u{E000}c  "), "a # b c");
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text(text in ".{0,80}") {
            let line = one_line(&text);
            let shown = plain_text(&parse_markdown(&markdown(&text)));
            proptest::prop_assert_eq!(one_line(&shown), line);
        }
    }
}

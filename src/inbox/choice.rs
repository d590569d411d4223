//! Which option of a question an answer means.

use portevoix_contract::Language;

use super::mail::fold;
use crate::model::event::Question;

/// The key of the option that an answer names: the button that was pressed, or a text that is
/// nothing but a key or a label (case, accents and punctuation don't count). A longer text is an
/// opinion of its own: no option is guessed from it, unless its first line is just a key.
#[must_use]
pub fn chosen(question: &Question, text: &str, pressed: Option<&str>) -> Option<String> {
    let known = |key: &str| question.options.iter().any(|option| option.key == key);
    if let Some(pressed) = pressed {
        return known(pressed).then(|| pressed.to_owned());
    }
    let first_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let said = bare(first_line);
    let only_line = text.trim().lines().count() <= 1;
    question
        .options
        .iter()
        .find(|option| {
            let is_key = said == bare(&option.key);
            let is_label = option.label.0.values().any(|label| said == bare(label));
            // what a mail's own button writes: "2 - Non"
            let numbered = said.strip_prefix(&bare(&option.key)).is_some_and(|rest| {
                let rest = bare(rest);
                !rest.is_empty() && option.label.0.values().any(|label| rest == bare(label))
            });
            !said.is_empty() && (is_key || numbered || (is_label && only_line))
        })
        .map(|option| option.key.clone())
}

/// The label of an option in a language.
#[must_use]
pub fn label(question: &Question, key: &str, language: &Language) -> Option<String> {
    question
        .options
        .iter()
        .find(|option| option.key == key)
        .map(|option| option.label.best(language).to_owned())
}

fn bare(text: &str) -> String {
    fold(text).trim_matches(|char: char| !char.is_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        serde_json::from_value(serde_json::json!({
            "text": { "fr": "Êtes-vous favorable au parc ?" },
            "options": [
                { "key": "1", "label": { "fr": "Oui", "nl": "Ja" } },
                { "key": "2", "label": { "fr": "Non" } },
                { "key": "3", "label": { "fr": "Sans opinion" } },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn keys_labels_and_buttons_are_choices_and_opinions_are_not() {
        for (text, pressed, expected) in [
            ("1", None, Some("1")),
            (" 2. ", None, Some("2")),
            ("OUI !", None, Some("1")),
            ("ja", None, Some("1")),
            ("3 - sans opinion", None, Some("3")),
            ("3 sans opinion", None, Some("3")),
            ("Oui mais il faut des bancs", None, None),
            ("1\n\nEt davantage d'arbres.", None, Some("1")),
            ("Non\n\nIl faut d'abord des bancs.", None, None),
            ("", Some("2"), Some("2")),
            ("", Some("9"), None),
            ("", None, None),
            ("12 arbres", None, None),
            ("1 - Oui\n\nEt des bancs.", None, Some("1")),
            ("1er étage : oui", None, None),
        ] {
            assert_eq!(chosen(&question(), text, pressed).as_deref(), expected, "{text}");
        }
    }
}

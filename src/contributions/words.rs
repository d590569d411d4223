//! Small translations between rows and nouns.

use portevoix_contract::Language;

use crate::{
    model::{event::Question, outgoing::ChannelName},
    store::StoreError,
};

/// The label of the option that was chosen.
pub(super) fn label(
    question: Option<&Question>,
    key: Option<&str>,
    language: &str,
) -> Option<String> {
    let (question, key) = (question?, key?);
    let option = question.options.iter().find(|option| option.key == key)?;
    Some(option.label.best(&Language::new(language)).to_owned())
}

pub(super) fn channel(name: &str) -> Result<ChannelName, StoreError> {
    serde_json::from_value(name.into()).map_err(|error| StoreError::Row {
        table: "reply",
        column: "channel",
        why: error.to_string(),
    })
}

/// A text without what names its author: addresses, numbers and links become `[…]`. What is left
/// may be kept after an erasure.
#[must_use]
pub fn anonymised(text: &str) -> String {
    let names_someone = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        word.contains('@') || word.contains("://") || digits >= 6
    };
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        // numbers are often written in groups: a line of many digits is treated word by word
        let grouped = line.chars().filter(char::is_ascii_digit).count() >= 8;
        for word in line.split_inclusive(char::is_whitespace) {
            let bare = word.trim_end();
            let number = grouped
                && !bare.is_empty()
                && bare.chars().all(|char| char.is_ascii_digit() || "+.()-/".contains(char));
            if names_someone(bare) || number {
                out.push_str("[…]");
                out.push_str(&word[bare.len()..]);
            } else {
                out.push_str(word);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_someone_is_taken_out_and_the_rest_stays() {
        let text = "Il faut 20 bancs.\nAppelez-moi au 06 12 34 56 78 ou marie@lille.example, merci";
        assert_eq!(
            anonymised(text),
            "Il faut 20 bancs.\nAppelez-moi au […] […] […] […] […] ou […] merci"
        );
    }
}

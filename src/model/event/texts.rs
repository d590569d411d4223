use std::collections::BTreeMap;

use portevoix_contract::Language;
use serde::{Deserialize, Serialize};

/// One text in several languages, by BCP 47 tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Texts(pub BTreeMap<String, String>);

impl Texts {
    /// The text in that very language.
    #[must_use]
    pub fn get(&self, language: &Language) -> Option<&str> {
        let own = self.0.get(language.as_str()).or_else(|| {
            self.0.iter().find(|(tag, _)| Language::new(tag) == *language).map(|(_, text)| text)
        });
        own.map(String::as_str)
    }

    /// The text in that language, else in French, else in the first there is, else nothing.
    #[must_use]
    pub fn best(&self, language: &Language) -> &str {
        self.get(language)
            .or_else(|| self.get(&Language::default()))
            .or_else(|| self.0.values().next().map(String::as_str))
            .unwrap_or_default()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Texts {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_language_falls_back_to_french_then_to_any() {
        let texts = Texts::from([("fr", "parc"), ("nl-BE", "park")]);
        assert_eq!(texts.best(&Language::new("nl")), "park");
        assert_eq!(texts.best(&Language::new("en")), "parc");
        assert_eq!(Texts::from([("en", "park")]).best(&Language::new("nl")), "park");
        assert_eq!(Texts::default().best(&Language::default()), "");
    }
}

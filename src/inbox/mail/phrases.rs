//! Tables of phrases, kept as text in `phrases/` so that whoever knows a language can add to them.
//!
//! A file has `[sections]`; a section has phrases with `|` or a line end between them, and lines
//! that begin with `#` are comments. Phrases are folded when they are read, so they can be written
//! as people write them.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::fold::fold;

/// One section of one file.
pub(super) struct Table {
    file: &'static str,
    section: &'static str,
    phrases: OnceLock<Phrases>,
}

#[derive(Debug, Default)]
struct Phrases {
    ordered: Vec<String>,
    known: HashSet<String>,
}

impl Table {
    pub(super) const fn new(file: &'static str, section: &'static str) -> Self {
        Self { file, section, phrases: OnceLock::new() }
    }

    fn phrases(&self) -> &Phrases {
        self.phrases.get_or_init(|| {
            let ordered: Vec<String> = section(self.file, self.section).collect();
            Phrases { known: ordered.iter().cloned().collect(), ordered }
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.phrases().ordered.iter().map(String::as_str)
    }

    /// Whether the folded text is one of the phrases.
    pub(super) fn has(&self, folded: &str) -> bool {
        self.phrases().known.contains(folded)
    }

    /// The first phrase that the folded text contains.
    pub(super) fn within(&self, folded: &str) -> Option<&str> {
        self.iter().find(|phrase| folded.contains(phrase))
    }

    /// The first phrase that the folded text begins with.
    pub(super) fn begins(&self, folded: &str) -> Option<&str> {
        self.iter().find(|phrase| folded.starts_with(phrase))
    }
}

fn section<'f>(file: &'f str, name: &'f str) -> impl Iterator<Item = String> + 'f {
    let mut inside = false;
    file.lines()
        .filter(move |line| {
            if let Some(header) =
                line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']'))
            {
                inside = header == name;
                return false;
            }
            inside && !line.starts_with('#')
        })
        .flat_map(|line| line.split('|'))
        .map(fold)
        .filter(|phrase| !phrase.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let file = "# titre\n[un]\nA écrit | Écrivait\n# pas celle-ci\nwrote\n[deux]\nautre\n";
        let phrases: Vec<String> = section(file, "un").collect();
        assert_eq!(phrases, ["a ecrit", "ecrivait", "wrote"]);
        assert_eq!(section(file, "trois").count(), 0);
    }
}

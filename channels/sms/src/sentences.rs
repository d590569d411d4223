//! From blocks to lines, from lines to sentences.

use portevoix_contract::{Block, Inline};

/// The words of each line, white space folded. Links keep their target only `with_links`: where a
/// page is linked below, the page has them.
pub(crate) fn lines(blocks: &[Block], with_links: bool) -> Vec<String> {
    let mut out = Vec::new();
    collect(&mut out, blocks, with_links);
    out
}

fn collect(out: &mut Vec<String>, blocks: &[Block], with_links: bool) {
    for block in blocks {
        match block {
            Block::Heading { inlines, .. } | Block::Paragraph { inlines } => {
                let mut words = String::new();
                write(&mut words, inlines, with_links);
                out.extend(words.lines().map(fold).filter(|line| !line.is_empty()));
            }
            Block::List { start, items } => {
                for (position, item) in items.iter().enumerate() {
                    let mark = start
                        .map_or_else(|| "-".to_owned(), |n| format!("{}.", n + position as u64));
                    let mut inner = lines(item, with_links).into_iter();
                    out.extend(inner.next().map(|first| format!("{mark} {first}")));
                    out.extend(inner);
                }
            }
            Block::Quote { blocks } => collect(out, blocks, with_links),
            Block::Rule => {}
        }
    }
}

fn write(out: &mut String, inlines: &[Inline], with_links: bool) {
    for inline in inlines {
        match inline {
            Inline::Text { text } => out.push_str(&text.replace('\n', " ")),
            Inline::Strong { inlines } | Inline::Emphasis { inlines } => {
                write(out, inlines, with_links);
            }
            Inline::Link { to, inlines } => {
                let mut words = String::new();
                write(&mut words, inlines, with_links);
                let shown =
                    to.strip_prefix("mailto:").or_else(|| to.strip_prefix("tel:")).unwrap_or(to);
                out.push_str(&words);
                if with_links && words != shown {
                    out.push_str(" (");
                    out.push_str(shown);
                    out.push(')');
                }
            }
            Inline::Break => out.push('\n'),
        }
    }
}

/// One line, single spaces (non-breaking ones too, for they cost the whole text its encoding), no
/// control character.
pub(crate) fn fold(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|char: char| char.is_whitespace() || char.is_control()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Abbreviations whose full stop ends no sentence.
const ABBREVIATIONS: &[&str] =
    &["m", "mm", "mme", "mlle", "dr", "st", "ste", "av", "bd", "art", "p", "ex", "cf", "tel", "no"];

/// The sentences of one line, each with its closing mark.
pub(crate) fn sentences(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (offset, _) in line.match_indices(' ') {
        let rest = line[offset..].trim_start();
        if start < offset && ends(&line[start..offset]) && begins(rest) {
            found.push(line[start..offset].trim());
            start = offset + 1;
        }
    }
    let last = line[start..].trim();
    if !last.is_empty() {
        found.push(last);
    }
    found
}

fn ends(text: &str) -> bool {
    let bare = text.trim_end_matches(['"', '»', '”', ')', ' ']);
    if bare.ends_with(['!', '?', '…']) {
        return true;
    }
    let Some(before) = bare.strip_suffix('.') else { return false };
    let word = before.rsplit([' ', '\'', '’', '(']).next().unwrap_or_default().to_lowercase();
    // "3." numbers an item, "J." is a name's initial
    !ABBREVIATIONS.contains(&word.as_str()) && (word.chars().count() > 1 || word.is_empty())
}

fn begins(rest: &str) -> bool {
    rest.trim_start_matches(['"', '«', '“', '(', ' '])
        .chars()
        .next()
        .is_some_and(|char| char.is_uppercase() || char.is_numeric() || !char.is_alphanumeric())
        && !rest.starts_with(['!', '?', '»', '”'])
}

/// The longest beginning that `fits`, cut after a whole word and closed by three dots; the dots are
/// part of what has to fit.
pub(crate) fn cut_at_word(text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let spaces = text.rmatch_indices(' ').map(|(offset, _)| offset);
    cut_at(text, spaces, fits)
}

/// The same inside a word, for the title that is one endless word: better than no message.
pub(crate) fn cut_in_word(text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let chars = text.char_indices().rev().map(|(offset, _)| offset);
    cut_at(text, chars, fits)
}

fn cut_at(
    text: &str,
    mut ends: impl Iterator<Item = usize>,
    fits: impl Fn(&str) -> bool,
) -> Option<String> {
    ends.find_map(|end| {
        let kept = text[..end].trim_end_matches([' ', ',', ';', ':', '.', '-', '(']);
        let cut = format!("{kept}...");
        (!kept.is_empty() && fits(&cut)).then_some(cut)
    })
}

#[cfg(test)]
mod tests {
    use portevoix_contract::parse_markdown;

    use super::*;

    #[test]
    fn sentences_end_where_they_do() {
        assert_eq!(
            sentences("M. Dupont vient le 3. mai. Venez ! « Oui ? » Non... Voir av. Foch (p. 3)."),
            [
                "M. Dupont vient le 3. mai.",
                "Venez !",
                "« Oui ? »",
                "Non...",
                "Voir av. Foch (p. 3)."
            ]
        );
        assert_eq!(sentences("Sans point"), ["Sans point"]);
        assert_eq!(sentences(""), Vec::<&str>::new());
    }

    #[test]
    fn blocks_become_lines_with_or_without_targets() {
        let blocks =
            parse_markdown("Un [lien](https://lille.fr)\u{a0}!\n\n1. un\n2. **deux**\n\n---");
        assert_eq!(lines(&blocks, false), ["Un lien !", "1. un", "2. deux"]);
        assert_eq!(lines(&blocks, true)[0], "Un lien (https://lille.fr) !");
    }

    #[test]
    fn a_cut_falls_after_a_word() {
        let cut = cut_at_word("Un parc, au sud de Lille", |text| text.len() <= 12);
        assert_eq!(cut.as_deref(), Some("Un parc..."));
        assert_eq!(cut_at_word("Anticonstitutionnellement", |_| true), None);
        let cut = cut_in_word("Réaménagement", |text| text.chars().count() <= 5);
        assert_eq!(cut.as_deref(), Some("Ré..."));
    }
}

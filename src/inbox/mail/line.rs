//! A body as lines that know their quotation depth and their folded form.

use super::fold::{GLANCE, fold};

/// What the layout of an HTML mail says of a line, where it says something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hint {
    #[default]
    None,
    /// Inside an element that the author's program marks as the signature.
    Signature,
}

#[derive(Debug)]
pub(super) struct Line<'a> {
    /// As it stands in the body, without its line end.
    pub raw: &'a str,
    /// Folded, without quotation marks; empty for a blank line.
    pub folded: String,
    /// How many `>` it begins with.
    pub depth: usize,
    pub hint: Hint,
}

impl<'a> Line<'a> {
    pub(super) fn new(raw: &'a str, hint: Hint) -> Self {
        let raw = raw.trim_end_matches('\r');
        let (depth, rest) = unquote(raw);
        Self { raw, folded: fold(rest), depth, hint }
    }

    pub(super) fn blank(&self) -> bool {
        self.depth == 0 && self.folded.is_empty()
    }

    pub(super) fn quoted(&self) -> bool {
        self.depth > 0
    }

    /// Too long for a line that a program writes around a quotation.
    pub(super) fn long(&self) -> bool {
        self.raw.len() > GLANCE
    }

    pub(super) fn words(&self) -> usize {
        self.folded.split(' ').filter(|word| !word.is_empty()).count()
    }

    /// Drawn only: dashes, underscores, stars, equal signs; at least two.
    pub(super) fn ruled(&self) -> bool {
        self.folded.len() >= 2
            && self
                .folded
                .bytes()
                .all(|b| matches!(b, b'-' | b'_' | b'=' | b'*' | b'~' | b'#' | b' '))
    }
}

/// The number of quotation marks at the head of a line, and what follows them.
fn unquote(raw: &str) -> (usize, &str) {
    let mut depth = 0;
    let mut rest = raw.trim_start();
    while let Some(inner) = rest.strip_prefix('>') {
        depth += 1;
        rest = inner.trim_start();
    }
    if depth == 0 { (0, raw) } else { (depth, rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_marks_with_or_without_spaces() {
        for (raw, depth, folded) in [
            ("> Bonjour", 1, "bonjour"),
            (">> > Été", 3, "ete"),
            (" >", 1, ""),
            ("a > b", 0, "a > b"),
            ("   ", 0, ""),
        ] {
            let line = Line::new(raw, Hint::None);
            assert_eq!((line.depth, line.folded.as_str()), (depth, folded), "{raw}");
        }
    }
}

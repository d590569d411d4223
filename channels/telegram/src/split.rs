//! Where a text is cut when it is longer than a message may be.

use std::ops::Range;

/// UTF-16 code units of one message's text, after entities are parsed.
pub const PART_UNITS: usize = 4_096;

/// Slices of `text`, in bytes, that follow each other without a gap and hold at most `limit`
/// UTF-16 units each. Cuts fall after a paragraph, else after a sentence, else after a word, else
/// between two characters.
pub(crate) fn split(text: &str, limit: usize) -> Vec<Range<usize>> {
    // A character takes up to two units: less room than that would never end.
    let limit = limit.max(2);
    let mut parts = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let room = fitting(rest, limit);
        let length = if room == rest.len() { room } else { best_cut(rest, room) };
        parts.push(start..start + length);
        start += length;
    }
    parts
}

/// Bytes of `text` that fit into `limit` units.
fn fitting(text: &str, limit: usize) -> usize {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        units += character.len_utf16();
        if units > limit {
            return at;
        }
    }
    text.len()
}

fn best_cut(text: &str, room: usize) -> usize {
    let head = &text[..room];
    // A paragraph's end early in the part would leave a stub.
    let late = |at: &usize| *at > room / 2;
    let paragraph = head.rfind("\n\n").map(|at| at + 2).filter(late);
    let sentence = || sentence_ends(text).take_while(|at| *at <= room).last().filter(late);
    let line = || head.rfind('\n').map(|at| at + 1).filter(late);
    let word = || head.rfind(char::is_whitespace).map(|at| at + space_len(head, at));
    paragraph.or_else(sentence).or_else(line).or_else(word).filter(|at| *at > 0).unwrap_or(room)
}

fn space_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Positions after the white space that follows a sentence's end, where another sentence begins.
pub(crate) fn sentence_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut characters = text.char_indices().peekable();
    let mut ended = false;
    std::iter::from_fn(move || {
        while let Some((_, character)) = characters.next() {
            let next = characters.peek().copied();
            if matches!(character, '.' | '!' | '?' | '…' | '。' | '؟') {
                ended = true;
            } else if !(character.is_whitespace() || matches!(character, '»' | '”' | '"' | ')'))
            {
                ended = false;
            }
            if ended
                && character.is_whitespace()
                && let Some((at, next)) = next
                && begins_sentence(next)
            {
                ended = false;
                return Some(at);
            }
        }
        None
    })
}

/// A lower-case letter goes on with a sentence (`p. ex. ceci`); a space or quote decides nothing.
fn begins_sentence(character: char) -> bool {
    !(character.is_whitespace() || character.is_lowercase() || matches!(character, '»' | '”' | ')'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str, limit: usize) -> Vec<&str> {
        split(text, limit).into_iter().map(|slice| &text[slice]).collect()
    }

    #[test]
    fn cuts_fall_where_a_reader_pauses() {
        assert_eq!(words("Un. Deux trois. Quatre", 16), ["Un. Deux trois. ", "Quatre"]);
        assert_eq!(words("Un deux\n\ntrois quatre", 14), ["Un deux\n\n", "trois quatre"]);
        assert_eq!(words("un deux trois quatre", 10), ["un deux ", "trois ", "quatre"]);
        assert_eq!(words("aaaaaaaa", 3), ["aaa", "aaa", "aa"]);
        assert_eq!(words("👍👍👍", 3), ["👍", "👍", "👍"]);
    }

    #[test]
    fn a_question_in_french_ends_after_its_mark() {
        let text = "Voulez-vous\u{a0}? « Oui. » Alors, p. ex. ceci. Fin";
        let ends: Vec<&str> = sentence_ends(text).map(|at| &text[at..]).collect();
        assert_eq!(ends, ["« Oui. » Alors, p. ex. ceci. Fin", "Alors, p. ex. ceci. Fin", "Fin"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_part_fits(
            text in "([a-zé👍<&]{0,9}[ .!?\n\u{a0}]{0,3}){0,60}",
            limit in 2_usize..80,
        ) {
            let parts = words(&text, limit);
            prop_assert_eq!(parts.concat(), text.clone());
            for part in parts {
                prop_assert!(!part.is_empty() && part.encode_utf16().count() <= limit);
            }
        }
    }
}

//! The line that says who wrote what is quoted: `Le mar. 3 mars 2026 à 10:12, X <x@y> a écrit :`.
//!
//! Programs write it, so it carries what programs know: a full date, an hour, an address, a verb of
//! writing, a colon. A person who tells that someone wrote gives fewer of these at once. The rules
//! weigh the marks; none of them hangs on one language's grammar.

use super::fold::{GLANCE, fold, head};
use super::line::Line;
use super::words::{ARTICLES, DAYS_MONTHS, OPENERS, TELLERS, WROTE};

/// Lines of one attribution, at most: long names and addresses make programs wrap it.
const SPAN: usize = 5;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attribution {
    /// Its first line.
    pub start: usize,
    /// Where in its first line it begins, for an author's text may stand before it.
    pub at: usize,
}

/// The attribution that ends with the line `end`, if one does. `quote_follows`: the next line that
/// is not blank is quoted. Lines before `floor` belong to something else.
pub(super) fn ending_at(
    lines: &[Line<'_>],
    end: usize,
    floor: usize,
    quote_follows: bool,
) -> Option<Attribution> {
    let last = &lines[end];
    if last.long() || !could_end(&last.folded, quote_follows) {
        return None;
    }
    let starts = starts(lines, end, floor);
    let mut texts = Vec::with_capacity(starts.len());
    for &start in &starts {
        texts.push((start, join(lines, start, end)));
    }
    let told = |opening: fn(&str) -> bool| {
        texts.iter().find(|(_, text)| opening(text) && strong(text)).map(|(start, _)| *start)
    };
    if let Some(start) = told(opens_with_word).or_else(|| told(opens_with_date)) {
        let vague = !quote_follows && !texts.iter().any(|(_, text)| has_address(text));
        let told_by_the_author = vague && names_a_thing(&lines[start..=end]);
        return (!told_by_the_author).then_some(Attribution { start, at: 0 });
    }
    // What stands before it on its line is the author's: look for that before the weaker rules.
    if let Some(found) = starts.iter().find_map(|&start| inside(lines, start, end)) {
        return Some(found);
    }
    let (_, alone) = texts.first()?;
    let enough = !last.quoted() && (signed(alone) || (quote_follows && weak(alone)));
    enough.then_some(Attribution { start: end, at: 0 })
}

/// A quick look before anything is joined.
fn could_end(folded: &str, quote_follows: bool) -> bool {
    let bare = bare(folded);
    folded.ends_with(':') || ends_with_verb(bare) || (quote_follows && has_address(folded))
}

/// Lines at which the attribution could begin, nearest first. It does not reach over a blank line,
/// save one before an address in angle brackets, nor over quoted lines, save for a `>` that closes
/// the address.
fn starts(lines: &[Line<'_>], end: usize, floor: usize) -> Vec<usize> {
    let mut starts = Vec::with_capacity(SPAN);
    let mut at = end;
    loop {
        if lines[at].long() {
            break;
        }
        if !lines[at].blank() {
            starts.push(at);
        }
        if at == floor || at + SPAN < end + 1 {
            break;
        }
        let closes = lines[at].quoted() && at == end;
        let bracket = lines[at].folded.starts_with('<') || (closes && at > 0);
        let before = &lines[at - 1];
        if before.quoted() || (before.blank() && !bracket) {
            break;
        }
        at -= 1;
    }
    if lines[end].quoted() {
        // Only a bracket left open makes this `>` something other than a quotation mark.
        starts.retain(|&start| start != end && open_bracket(lines, start, end));
    }
    starts
}

fn open_bracket(lines: &[Line<'_>], start: usize, end: usize) -> bool {
    let text: usize = lines[start..end].iter().map(|line| line.raw.matches('<').count()).sum();
    let closed: usize = lines[start..end].iter().map(|line| line.raw.matches('>').count()).sum();
    text > closed
}

fn join(lines: &[Line<'_>], start: usize, end: usize) -> String {
    let mut text = String::new();
    for line in &lines[start..=end] {
        if !text.is_empty() {
            text.push(' ');
        }
        if line.quoted() {
            text.push('>');
        }
        text.push_str(&line.folded);
        if text.len() > GLANCE {
            break;
        }
    }
    text.trim_matches(|c: char| matches!(c, '-' | '*' | '_' | '=' | ' ' | '|')).to_owned()
}

/// Everything that a program writes: opening and date have been seen by the caller.
fn strong(text: &str) -> bool {
    let bare = bare(text);
    if text.len() > GLANCE || words(text) > 45 {
        return false;
    }
    let (address, dated, timed) = (has_address(text), has_date(text), has_time(text));
    let colon = text.ends_with(':');
    if ends_with_verb(bare) {
        return !told_by_a_person(bare) && ((address && (dated || timed)) || (dated && timed));
    }
    if colon && has_verb(text) && !told_by_a_person(bare) {
        return (address && (dated || timed)) || (dated && timed && opens_with_word(text));
    }
    colon && address && dated && (timed || words(text) <= 12)
}

/// `Jean <jean@x> a écrit :` and `X wrote on 12/03/2026 10:22:` are written by programs only.
fn signed(text: &str) -> bool {
    let bare = bare(text);
    let brackets = text.contains('<') || text.contains('[');
    if !text.ends_with(':') || words(text) > 20 {
        return false;
    }
    if ends_with_verb(bare) {
        return has_address(text) && brackets && before_verb(bare).ends_with(['>', ']', ')']);
    }
    let program = has_date(text) && has_time(text) && has_address(text) && brackets;
    program && (has_verb(text) || words(text) <= 16)
}

/// Enough where quoted lines follow at once.
fn weak(text: &str) -> bool {
    let bare = bare(text);
    let marks = has_address(text) || has_date(text) || has_time(text);
    if ends_with_verb(bare) || (text.ends_with(':') && has_verb(text)) {
        return words(text) <= 30 && (marks || words(text) <= 8);
    }
    has_address(text) && has_date(text) && words(text) <= 30 && opens_with_date(text)
}

/// A line of the author's and the attribution can have run together.
fn inside(lines: &[Line<'_>], start: usize, end: usize) -> Option<Attribution> {
    let raw = lines[start].raw;
    let mut before = ' ';
    for (at, c) in raw.char_indices() {
        let begins = c.is_uppercase() && (before == ' ' || before == '-' || before == '\u{a0}');
        before = c;
        if at == 0 || !begins || !opens_with_word(&fold(head(&raw[at..], 60))) {
            continue;
        }
        let rest = Line::new(&raw[at..], super::line::Hint::None);
        let mut text = rest.folded;
        for line in &lines[start + 1..=end] {
            text.push(' ');
            text.push_str(&line.folded);
        }
        if has_address(&text) && has_time(&text) && has_date(&text) && strong(&text) {
            return Some(Attribution { start, at });
        }
    }
    None
}

/// `---- John wrote ----`: dashes on both sides make up for what it leaves out.
pub(super) fn between_dashes(line: &Line<'_>) -> bool {
    let text = &line.folded;
    if line.long() || !text.starts_with("--") || !text.ends_with("--") {
        return false;
    }
    let inner = text.trim_matches(['-', ' ']);
    words(inner) <= 30 && (ends_with_verb(bare(inner)) || strong(inner))
}

/// `Le 3 mars à 10:12, le maire a écrit :` has an hour and a verb like the line of a program, which
/// would put a name where this has an article.
fn names_a_thing(lines: &[Line<'_>]) -> bool {
    let raw: Vec<&str> = lines.iter().flat_map(|line| line.raw.split_whitespace()).collect();
    let timed = raw.iter().rposition(|token| has_time(token));
    let after = timed.map_or(raw.as_slice(), |at| &raw[at + 1..]);
    after.iter().any(|token| ARTICLES.has(token))
}

fn words(text: &str) -> usize {
    text.split(' ').filter(|word| !word.is_empty()).count()
}

/// Without the colon and what little may stand around it.
fn bare(text: &str) -> &str {
    text.trim_end_matches([':', ' ', '-', '*', '_', '>', '.'])
}

fn verb_at_end(bare: &str) -> Option<&str> {
    WROTE.iter().filter(|verb| bare.ends_with(verb)).max_by_key(|verb| verb.len()).filter(|verb| {
        let before = &bare[..bare.len() - verb.len()];
        before.is_empty() || before.ends_with([' ', '>', ')', ']', '"', ',', '-', '\''])
    })
}

fn ends_with_verb(bare: &str) -> bool {
    verb_at_end(bare).is_some()
}

fn before_verb(bare: &str) -> &str {
    verb_at_end(bare).map_or(bare, |verb| bare[..bare.len() - verb.len()].trim_end())
}

fn has_verb(text: &str) -> bool {
    WROTE.iter().any(|verb| {
        text.match_indices(verb).take(8).any(|(at, _)| {
            let before =
                text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '\'');
            before && text[at + verb.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric())
        })
    })
}

/// `m'a écrit`, `she wrote`: a person tells.
fn told_by_a_person(bare: &str) -> bool {
    let before = before_verb(bare);
    if bare[before.len()..].trim_start().starts_with("a ") && before.ends_with('\'') {
        return true;
    }
    let verb = &bare[before.len()..];
    let glued = bare.ends_with("m'a ecrit")
        || bare.ends_with("t'a ecrit")
        || bare.ends_with("l'a ecrit")
        || bare.ends_with("n'a ecrit");
    let last = before.rsplit(' ').next().unwrap_or(before).trim_matches(',');
    glued || (!verb.is_empty() && TELLERS.has(last))
}

pub(super) fn has_address(text: &str) -> bool {
    text.match_indices('@').take(16).any(|(at, _)| {
        text[..at]
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '\''))
            && text[at + 1..].starts_with(char::is_alphanumeric)
    })
}

/// `10:12`, `10h12`, `17.50` after a word, `9 AM`.
pub(super) fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let two =
        |at: usize| bytes.get(at..at + 2).is_some_and(|pair| pair.iter().all(u8::is_ascii_digit));
    bytes.iter().enumerate().any(|(at, b)| {
        let digit = at > 0 && bytes[at - 1].is_ascii_digit();
        match b {
            b':' | b'h' => digit && two(at + 1),
            b'.' => {
                let alone = at < 3 || !bytes[at - 3].is_ascii_digit() && bytes[at - 3] != b'.';
                digit
                    && two(at + 1)
                    && alone
                    && bytes.get(at + 3).is_none_or(|c| matches!(c, b' ' | b',' | b':'))
            }
            _ => false,
        }
    }) || text.contains(" am ") && text.contains(" at ")
}

/// A day, a month and a year, or a day and a month's name.
pub(super) fn has_date(text: &str) -> bool {
    let mut year = false;
    let mut small = false;
    let mut name = false;
    for token in text
        .split([' ', ',', '(', ')', '<', '>', '[', ']', '"', '\u{60c}'])
        .filter(|token| !token.is_empty())
    {
        if written_date(token) {
            return true;
        }
        let token = token.trim_matches(['.', ':']);
        let digits = token.trim_end_matches(|c: char| c.is_alphabetic() || c == '.' || c == 'º');
        if let Ok(number) = digits.parse::<u32>() {
            year |= digits.len() == 4 && (1970..2200).contains(&number);
            small |= digits.len() <= 2 && (1..=31).contains(&number);
        } else {
            name |= DAYS_MONTHS.has(token);
        }
    }
    small && (year || name)
}

/// `12/03/2026`, `2026-03-12t10:12`, `17-feb.-2015`, `30.09.2017`.
fn written_date(token: &str) -> bool {
    let mut parts = token.split(['/', '-', '.']).filter(|part| !part.is_empty());
    let (Some(a), Some(b), Some(c)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let number = |part: &str| part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    let head: String = c.chars().take_while(char::is_ascii_digit).collect();
    number(a)
        && !head.is_empty()
        && head.len() <= 4
        && (number(b) || DAYS_MONTHS.has(b) || b.len() <= 9 && b.chars().all(char::is_alphabetic))
}

/// `on`, `le`, `w dniu` …, and a number soon after.
fn opens_with_word(text: &str) -> bool {
    OPENERS.iter().any(|opener| {
        text.strip_prefix(opener)
            .is_some_and(|rest| rest.starts_with([' ', ',', ':']) && number_soon(rest))
    })
}

fn number_soon(text: &str) -> bool {
    text.split([' ', ','])
        .filter(|token| !token.is_empty())
        .take(4)
        .any(|token| token.starts_with(|c: char| c.is_numeric()))
}

/// A number or the name of a day or a month comes first.
fn opens_with_date(text: &str) -> bool {
    let mut tokens = text.split([' ', ',', '\u{60c}']).filter(|token| !token.is_empty());
    let Some(first) = tokens.next() else { return false };
    let number = |token: &str| token.starts_with(|c: char| c.is_ascii_digit());
    if number(first) {
        return written_date(first) || has_time(first) || has_date(head(text, 60));
    }
    let name = first.trim_matches('.');
    tokens.take(2).any(number) && (DAYS_MONTHS.has(name) || name.chars().count() <= 3)
}

//! What the author of an answer wrote, set apart from what their program quoted.
//!
//! One pass marks every line; a second puts the passages together. The rule behind all rules: when
//! unsure, keep more. What is taken off is kept aside in [`Split::quoted`].

use super::line::{Hint, Line};
use super::signature::{self, Below};
use super::words::{IN_THE_QUOTATION, MY_ANSWERS};
use super::{attribution, block};

/// A body, split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// What the author wrote. Quoted lines stay in it, with their `>`, where the author answered
    /// between them.
    pub text: String,
    /// All the rest in its order: quotations, signatures, notices.
    pub quoted: String,
    /// The author answered between quoted lines.
    pub interleaved: bool,
    /// The author passed a message on; it is in `text`.
    pub forwarded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Author,
    Signature,
    /// Introduces a quotation.
    Introduction,
    Quote,
    /// The original message down to the end, without quotation marks.
    Original,
    /// Passed on by the author, down to the end.
    Forwarded,
}

/// Splits a plain-text body.
#[must_use]
pub fn split_reply(body: &str) -> Split {
    split_lines(&body.split('\n').map(|line| Line::new(line, Hint::None)).collect::<Vec<_>>())
}

pub(super) fn split_lines(lines: &[Line<'_>]) -> Split {
    let mut marked = Marked::read(lines);
    marked.mend_wrapped_quotes();
    marked.sign();
    marked.assemble()
}

struct Marked<'l, 'a> {
    lines: &'l [Line<'a>],
    marks: Vec<Mark>,
    /// Byte of a line at which an introduction begins behind the author's words.
    shared: Option<(usize, usize)>,
    introduced: bool,
}

impl<'l, 'a> Marked<'l, 'a> {
    fn read(lines: &'l [Line<'a>]) -> Self {
        let mut marked =
            Self { lines, marks: vec![Mark::Author; lines.len()], shared: None, introduced: false };
        let next_filled = next_filled(lines);
        let quote_after = |at: usize| next_filled[at].is_some_and(|next| lines[next].quoted());
        // Lines below it are spoken for.
        let mut floor = 0;
        let mut at = 0;
        while at < lines.len() {
            super::steps::count(1);
            let introduction = if lines[at].blank() {
                None
            } else {
                marked.introduction(at, floor, quote_after(at))
            };
            match introduction {
                None => {
                    if lines[at].quoted() {
                        marked.marks[at] = Mark::Quote;
                        floor = at + 1;
                    }
                    at += 1;
                }
                Some(Introduction { last, forwarded: true, .. }) => {
                    marked.rest(last, Mark::Forwarded);
                    break;
                }
                Some(Introduction { first, last, down_to_end, .. }) => {
                    marked.introduce(first, last, floor);
                    if down_to_end || !quote_after(last) {
                        marked.rest(last + 1, Mark::Original);
                        break;
                    }
                    at = last + 1;
                    floor = at;
                }
            }
        }
        marked
    }

    /// What begins or ends at this line and says that quoted text follows.
    fn introduction(
        &mut self,
        at: usize,
        floor: usize,
        quote_follows: bool,
    ) -> Option<Introduction> {
        let line = &self.lines[at];
        if let Some(found) = attribution::ending_at(self.lines, at, floor, quote_follows) {
            if found.at > 0 {
                self.shared = Some((found.start, found.at));
            }
            let first = if found.at > 0 { found.start + 1 } else { found.start };
            return Some(Introduction { first, last: at, down_to_end: false, forwarded: false });
        }
        if line.quoted() && !line.folded.ends_with(">>>") {
            return None;
        }
        match block::banner(line) {
            Some(block::Banner::Forwarded) => {
                return Some(Introduction {
                    first: at,
                    last: at,
                    down_to_end: true,
                    forwarded: true,
                });
            }
            Some(banner) => {
                let down_to_end = banner == block::Banner::Above;
                return Some(Introduction { first: at, last: at, down_to_end, forwarded: false });
            }
            None => {}
        }
        if attribution::between_dashes(line) {
            return Some(Introduction {
                first: at,
                last: at,
                down_to_end: false,
                forwarded: false,
            });
        }
        let last = block::header_block(self.lines, at)?;
        Some(Introduction { first: at, last, down_to_end: false, forwarded: false })
    }

    /// Marks an introduction with the rules and blank lines drawn above it.
    fn introduce(&mut self, first: usize, last: usize, floor: usize) {
        let mut start = first;
        let mut above = first;
        while above > floor && (self.lines[above - 1].blank() || self.lines[above - 1].ruled()) {
            above -= 1;
            if self.lines[above].ruled() {
                start = above;
            }
        }
        let last = last.min(self.lines.len().saturating_sub(1));
        if start <= last {
            self.marks[start..=last].fill(Mark::Introduction);
        }
        self.introduced = true;
    }

    fn rest(&mut self, from: usize, mark: Mark) {
        if from < self.marks.len() {
            self.marks[from..].fill(mark);
        }
    }

    /// A link that a program broke in the middle of a quotation left its second half without `>`.
    fn mend_wrapped_quotes(&mut self) {
        for at in 1..self.lines.len().saturating_sub(1) {
            let around = self.marks[at - 1] == Mark::Quote && self.marks[at + 1] == Mark::Quote;
            if !around || self.marks[at] != Mark::Author || self.lines[at].words() != 1 {
                continue;
            }
            let (before, here) = (&self.lines[at - 1].folded, &self.lines[at].folded);
            let last = before.rsplit(' ').next().unwrap_or_default();
            let broken = last.contains("://") || last.starts_with("www.") || last.contains('@');
            if broken
                && (here.ends_with([')', '>', ']'])
                    || here.contains(['/', '=', '%', '&', '?', '_']))
            {
                self.marks[at] = Mark::Quote;
            }
        }
    }

    /// Marks signatures in every passage of the author's.
    fn sign(&mut self) {
        let mut at = 0;
        while at < self.marks.len() {
            if self.marks[at] != Mark::Author {
                at += 1;
                continue;
            }
            let end = self.marks[at..]
                .iter()
                .position(|mark| *mark != Mark::Author)
                .map_or(self.marks.len(), |len| at + len);
            let below = if self.answered_later(end) { Below::Quote } else { Below::End };
            for (offset, cut) in
                signature::find(&self.lines[at..end], below, at == 0).into_iter().enumerate()
            {
                if cut {
                    self.marks[at + offset] = Mark::Signature;
                }
            }
            at = end;
        }
    }

    /// The passage is followed by a quotation that nothing introduces: the author is in the middle.
    fn answered_later(&self, end: usize) -> bool {
        self.marks.get(end) == Some(&Mark::Quote)
    }

    /// Quotations that an answer follows: `(first line, line after the last)`.
    fn answered(&self) -> (Vec<(usize, usize)>, usize) {
        let mut answered = Vec::new();
        let mut open: Option<(usize, usize)> = None;
        let mut quotations = 0;
        for (at, mark) in self.marks.iter().enumerate() {
            match mark {
                Mark::Quote => {
                    open = match open {
                        Some((first, _)) => Some((first, at + 1)),
                        None => {
                            quotations += 1;
                            Some((at, at + 1))
                        }
                    };
                }
                Mark::Author if !self.lines[at].blank() => answered.extend(open.take()),
                _ => {}
            }
        }
        (answered, quotations)
    }

    /// `Mes réponses en rouge ci-dessous`, above an original without marks: nobody can tell the
    /// author's words from ours there, so all of it is kept.
    fn says_answers_are_inside(&self) -> bool {
        if !self.marks.contains(&Mark::Original) {
            return false;
        }
        let own = self.lines.iter().zip(&self.marks).filter(|(_, mark)| **mark == Mark::Author);
        let own: Vec<&str> = own.map(|(line, _)| line.folded.as_str()).collect();
        own.iter().map(|line| line.len()).sum::<usize>() < 400
            && own.iter().any(|line| MY_ANSWERS.within(line).is_some())
            && own.iter().any(|line| IN_THE_QUOTATION.within(line).is_some())
    }

    fn assemble(&self) -> Split {
        let (answered, quotations) = self.answered();
        let interleaved = !answered.is_empty() && (quotations > 1 || !self.introduced);
        let mut kept = vec![false; self.lines.len()];
        if interleaved {
            for (first, end) in answered {
                kept[first..end].fill(true);
            }
        }
        let inside = self.says_answers_are_inside();
        let mut split = Split {
            interleaved: interleaved || inside,
            forwarded: self.marks.contains(&Mark::Forwarded),
            ..Split::default()
        };
        for (at, line) in self.lines.iter().enumerate() {
            let own = matches!(self.marks[at], Mark::Author | Mark::Forwarded)
                || (kept[at] && self.marks[at] == Mark::Quote)
                || (inside && self.marks[at] == Mark::Original);
            if let Some((_, cut)) = self.shared.filter(|(shared, _)| *shared == at) {
                let own = line.raw[..cut].trim_end_matches(['-', ' ', '_']);
                push(&mut split.text, own);
                push(&mut split.quoted, line.raw[own.len()..].trim_start());
            } else {
                push(if own { &mut split.text } else { &mut split.quoted }, line.raw);
            }
        }
        split.text = trimmed(&split.text);
        split.quoted = trimmed(&split.quoted);
        split
    }
}

struct Introduction {
    first: usize,
    last: usize,
    down_to_end: bool,
    forwarded: bool,
}

/// For every line the next one that is not blank.
fn next_filled(lines: &[Line<'_>]) -> Vec<Option<usize>> {
    let mut next = vec![None; lines.len()];
    let mut filled = None;
    for (at, line) in lines.iter().enumerate().rev() {
        next[at] = filled;
        if !line.blank() {
            filled = Some(at);
        }
    }
    next
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Without blank lines around it, and with one blank line at most in it.
fn trimmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blanks = 0;
    for line in text.trim().lines() {
        let line = line.trim_end();
        if line.is_empty() {
            blanks += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blanks > 0 { "\n\n" } else { "\n" });
        }
        blanks = 0;
        out.push_str(line);
    }
    out
}

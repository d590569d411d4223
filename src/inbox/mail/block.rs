//! The header block by which Outlook, webmails and telephones introduce the mail they quote
//! (`De : … Envoyé : … À : … Objet : …`), and the drawn lines around it.

use super::attribution::{has_address, has_date, has_time};
use super::line::Line;
use super::words::{ABOVE, FORWARDED, LABELS, Label, ORIGINAL};

/// Lines of one block, at most: a list of recipients can wrap over many.
const SPAN: usize = 16;

/// The last line of the header block that begins at `start`, if one does.
pub(super) fn header_block(lines: &[Line<'_>], start: usize) -> Option<usize> {
    let (first, _) = label(&lines[start])?;
    if !matches!(first, Label::From | Label::Date | Label::Subject | Label::To) {
        return None;
    }
    let mut seen = Seen::default();
    let mut end = start;
    let mut at = start;
    let limit = lines.len().min(start + SPAN);
    let mut strays = 0;
    while at < limit {
        let line = &lines[at];
        if let Some((label, value)) = label(line) {
            seen.note(label, value);
            (end, strays) = (at, 0);
        } else if line.blank() {
            let next_is_label = lines.get(at + 1).is_some_and(|next| label(next).is_some());
            if !next_is_label {
                break;
            }
        } else {
            strays += 1;
            if strays > 3 || line.quoted() != lines[start].quoted() {
                break;
            }
            seen.address |= has_address(&line.folded);
        }
        at += 1;
    }
    // A value that wrapped below the last label belongs to it.
    while end + 1 < limit && end + 1 < at && !lines[end + 1].blank() {
        end += 1;
    }
    seen.is_block().then_some(end)
}

#[derive(Default)]
struct Seen {
    from: bool,
    date: bool,
    to: bool,
    subject: bool,
    address: bool,
    dated: bool,
}

impl Seen {
    fn note(&mut self, label: Label, value: &str) {
        match label {
            Label::From => self.from = true,
            Label::Date => {
                self.date = true;
                self.dated |= has_date(value) || has_time(value);
            }
            Label::To => self.to = true,
            Label::Subject => self.subject = true,
            Label::Copy | Label::Other => {}
        }
        self.address |= has_address(value);
    }

    /// Three labels are enough with one value that only a program writes; two need the right ones.
    fn is_block(&self) -> bool {
        let kinds =
            [self.from, self.date, self.to, self.subject].iter().filter(|seen| **seen).count();
        match kinds {
            0 | 1 => false,
            2 => {
                (self.date && self.dated && (self.from || self.address))
                    || (self.from && self.address)
            }
            3 => self.address || self.dated,
            _ => true,
        }
    }
}

/// A line that begins with one of the labels, and the value after its colon.
fn label<'a>(line: &'a Line<'_>) -> Option<(Label, &'a str)> {
    let text = line.folded.trim_start_matches(['*', '_', ' ', '|']);
    if let Some(rest) = text.strip_prefix("message du ") {
        return has_date(rest).then_some((Label::Date, rest));
    }
    let colon = text.char_indices().take(28).find(|(_, c)| *c == ':').map(|(at, _)| at)?;
    let name = text[..colon].trim_matches(['*', '_', ' ']);
    let value = text[colon + 1..].trim_start_matches(['*', '_', ' ']);
    LABELS.iter().find(|(_, names)| names.has(name)).map(|(label, _)| (*label, value))
}

/// `>>> Awa <awa@x> 03/03/2026 09:00 >>>`, as GroupWise writes it above unmarked lines.
fn grouped(line: &Line<'_>) -> bool {
    let ends = line.depth == 3 && line.folded.ends_with(">>>");
    ends && has_date(&line.folded) && has_time(&line.folded)
}

/// What a line announces of all that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Banner {
    /// The original message: quoted.
    Original,
    /// A message that the author passes on: theirs.
    Forwarded,
    /// The end of the room that a program left for the answer.
    Above,
}

pub(super) fn banner(line: &Line<'_>) -> Option<Banner> {
    let text = &line.folded;
    if line.long() || line.words() > 20 {
        return None;
    }
    if grouped(line) {
        return Some(Banner::Original);
    }
    let inner = text.trim_matches(|c: char| {
        matches!(c, '-' | '_' | '=' | '*' | '<' | '>' | ' ' | '#' | '~' | '+')
    });
    let drawn =
        text.len() - inner.len() >= 4 && text.starts_with(['-', '_', '=', '*', '#', '<', '~', '>']);
    let phrase = inner.trim_end_matches([':', ' ']);
    let colon = inner.ends_with(':');
    if FORWARDED.begins(phrase).is_some() && (drawn || colon) && phrase.len() < 90 {
        return Some(Banner::Forwarded);
    }
    if (ORIGINAL.has(phrase) || (drawn && ORIGINAL.begins(phrase).is_some())) && (drawn || colon) {
        return Some(Banner::Original);
    }
    ABOVE.within(inner).map(|_| Banner::Above)
}

//! What people and programs put under a text: signatures, closing formulas with a name, the
//! advertising of a telephone, legal notices. All of it is taken off, none of it is thrown away.

use super::attribution::has_address;
use super::line::{Hint, Line};
use super::phrases::Table;
use super::words::{CLOSINGS, DEVICES, NOTICE, NOTICE_MARKS, SENT_FROM, TREES, VIRUS};

/// What stands below the author's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// The end of the mail, or all that it quotes.
    End,
    /// A quotation that the author goes on answering.
    Quote,
}

/// Which of these lines (an author's passage without quoted lines in it) are signature. `opens`: it
/// is the first passage of the mail.
pub(super) fn find(lines: &[Line<'_>], below: Below, opens: bool) -> Vec<bool> {
    let mut cut: Vec<bool> = lines.iter().map(|line| line.hint == Hint::Signature).collect();
    if let Some(at) = delimiter(lines, below, opens) {
        mark(lines, &mut cut, at);
    }
    advertising(lines, &mut cut);
    if below == Below::End {
        notices(lines, &mut cut);
        if let Some(at) = closing(lines, &cut) {
            mark(lines, &mut cut, at);
        }
    }
    cut
}

fn first(lines: &[Line<'_>]) -> Option<usize> {
    lines.iter().position(|line| !line.blank())
}

/// Everything from here on, save postscripts.
fn mark(lines: &[Line<'_>], cut: &mut [bool], from: usize) {
    let mut postscript = false;
    for at in from..lines.len() {
        let text = &lines[at].folded;
        postscript = !text.is_empty() && (postscript || is_postscript(text));
        cut[at] |= !postscript;
    }
}

fn is_postscript(text: &str) -> bool {
    [
        "ps ",
        "ps:",
        "ps.",
        "p.s",
        "p.-s",
        "p-s",
        "p. s.",
        "post-scriptum",
        "post scriptum",
        "nb:",
        "nb :",
        "n.b",
        "pd:",
        "p.d.",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}

/// RFC 3676's `-- `, or a drawn line over something that reads like a visiting card.
fn delimiter(lines: &[Line<'_>], below: Below, opens: bool) -> Option<usize> {
    // From the end, so that a run of candidates costs one pass.
    let mut found = None;
    let top = first(lines);
    let (mut filled, mut short, mut contact) = (0usize, true, false);
    for (at, line) in lines.iter().enumerate().rev() {
        if line.blank() {
            continue;
        }
        let bare = line.raw.trim();
        let standard = line.raw == "-- " || bare == "--";
        let limit = if line.raw == "-- " { 40 } else { 15 };
        let card = line.ruled()
            && !(opens && Some(at) == top)
            && below == Below::End
            && (1..=8).contains(&filled)
            && short
            && contact;
        if (standard && filled <= limit) || card {
            found = Some(at);
        }
        filled += 1;
        short &= line.raw.len() <= 120;
        contact |= is_contact(&line.folded);
        if filled > 45 {
            break;
        }
    }
    found
}

/// An address, a link or a telephone number.
fn is_contact(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let other = text.chars().filter(|c| c.is_alphabetic()).count();
    has_address(text)
        || text.contains("://")
        || text.contains("www.")
        || text.contains("mailing list")
        || (digits >= 9 && other <= 20)
}

/// `Envoyé de mon iPhone`, alone at the end of a paragraph.
fn advertising(lines: &[Line<'_>], cut: &mut [bool]) {
    for at in 0..lines.len() {
        let line = &lines[at];
        let text = line.folded.trim_start_matches(['-', '_', '*', '[', '(', '<', ' ', '>']);
        let known = !line.long() && SENT_FROM.begins(text).is_some();
        if !known || !is_advertising(text) {
            continue;
        }
        let above = at == 0 || lines[at - 1].blank() || lines[at - 1].ruled() || cut[at - 1];
        let below = lines[at + 1..]
            .iter()
            .take(2)
            .all(|next| next.blank() || next.folded.starts_with(['<', '(']) || next.ruled());
        if above || below {
            cut[at] = true;
            if at > 0 && lines[at - 1].ruled() {
                cut[at - 1] = true;
            }
            if let Some(next) =
                lines.get(at + 1).filter(|next| next.folded.starts_with('<') && next.words() == 1)
            {
                cut[at + 1] = !next.blank();
            }
        }
    }
}

/// A few words after `Sent from`, or more where one of the first is a device or a program.
fn is_advertising(text: &str) -> bool {
    let start = SENT_FROM.begins(text).map_or(0, str::len);
    let words: Vec<&str> = text[start..]
        .split([' ', '\'', '.', ',', '<', '('])
        .filter(|word| !word.is_empty() && !word.contains("://") && *word != "https:")
        .collect();
    let device = words.iter().take(6).any(|word| DEVICES.has(word));
    !text.ends_with(['?', '!']) && (words.len() <= 5 || (device && words.len() <= 24))
}

/// Trailing paragraphs that a server adds: confidentiality, viruses, trees.
fn notices(lines: &[Line<'_>], cut: &mut [bool]) {
    let mut end = lines.len();
    loop {
        while end > 0 && (lines[end - 1].blank() || cut[end - 1] || lines[end - 1].ruled()) {
            end -= 1;
        }
        let mut start = end;
        while start > 0 && !lines[start - 1].blank() && !cut[start - 1] && !lines[start - 1].ruled()
        {
            start -= 1;
        }
        if start == end || !is_notice(&lines[start..end]) {
            return;
        }
        // The rule above it, too.
        let rule = (1..=2)
            .map(|back| start.wrapping_sub(back))
            .find(|at| lines.get(*at).is_some_and(Line::ruled));
        cut[rule.unwrap_or(start)..end].fill(true);
        end = start;
    }
}

fn is_notice(paragraph: &[Line<'_>]) -> bool {
    let first = &paragraph[0].folded;
    let opens =
        |table: &Table| table.begins(first.trim_start_matches(['*', '_', '"', ' ', '['])).is_some();
    if opens(&NOTICE) {
        return paragraph.iter().take(12).any(|line| NOTICE_MARKS.within(&line.folded).is_some());
    }
    opens(&VIRUS)
        || opens(&TREES)
        || (first.contains("imprimer ce") && first.contains("environnement"))
}

/// A closing formula on a line of its own with a name, a function, a telephone below it.
fn closing(lines: &[Line<'_>], cut: &[bool]) -> Option<usize> {
    let mut below = 0;
    // A postscript stands under a signature and is none.
    let end = lines.iter().position(|line| is_postscript(&line.folded)).unwrap_or(lines.len());
    for at in (0..end).rev() {
        let line = &lines[at];
        if line.blank() || cut[at] {
            continue;
        }
        if is_closing(&line.folded) {
            // Somebody who only sends regards has said something.
            let said = lines[..at].iter().zip(cut).any(|(line, cut)| !cut && !line.blank());
            return said.then_some(at);
        }
        below += 1;
        if below > 8 || line.raw.len() > 90 || is_sentence(&line.folded) {
            return None;
        }
    }
    None
}

fn is_closing(text: &str) -> bool {
    let text = text.trim_end_matches(['.', ',', '!', ' ', ';', '\u{60c}']);
    CLOSINGS.has(text)
}

/// Something said rather than a name or a function.
fn is_sentence(text: &str) -> bool {
    let words = text.split(' ').filter(|word| !word.is_empty()).count();
    is_postscript(text)
        || text.ends_with('?')
        || (words >= 5 && text.ends_with(['.', '!', ':', ';', ',']))
        || (words >= 8 && !is_contact(text))
}

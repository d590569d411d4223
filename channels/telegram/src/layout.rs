//! Blocks as styled text: Telegram has no headings and no lists of its own.

use std::sync::Arc;

use portevoix_contract::{Block, Inline};

use crate::runs::{Runs, Style};

/// `plain`: no italics, which plain language forbids.
pub(crate) fn write_blocks(runs: &mut Runs, blocks: &[Block], plain: bool) {
    for block in blocks {
        match block {
            Block::Heading { inlines, .. } => {
                let style = Style { bold: true, ..Style::default() };
                write_inlines(runs, inlines, &style, plain);
            }
            Block::Paragraph { inlines } => write_inlines(runs, inlines, &Style::default(), plain),
            Block::List { start, items } => write_list(runs, *start, items, plain),
            Block::Quote { blocks } => write_indented(runs, "│ ", "│ ", blocks, plain),
            Block::Rule => runs.push_plain("———"),
        }
        runs.end_paragraph();
    }
}

fn write_list(runs: &mut Runs, start: Option<u64>, items: &[Vec<Block>], plain: bool) {
    for (position, item) in items.iter().enumerate() {
        let mark = match start {
            Some(first) => format!("{}. ", first.saturating_add(position as u64)),
            None => "• ".to_owned(),
        };
        write_indented(runs, &mark, "   ", item, plain);
        runs.end_line();
    }
}

/// `mark` before the first line, `indent` before the others.
fn write_indented(runs: &mut Runs, mark: &str, indent: &str, blocks: &[Block], plain: bool) {
    let mut inner = Runs::default();
    write_blocks(&mut inner, blocks, plain);
    runs.push_plain(mark);
    runs.append(inner.indented(indent));
}

fn write_inlines(runs: &mut Runs, inlines: &[Inline], style: &Style, plain: bool) {
    for inline in inlines {
        match inline {
            Inline::Text { text } => runs.push(text, style),
            Inline::Strong { inlines } => {
                write_inlines(runs, inlines, &Style { bold: true, ..style.clone() }, plain);
            }
            Inline::Emphasis { inlines } => {
                write_inlines(runs, inlines, &Style { italic: !plain, ..style.clone() }, plain);
            }
            Inline::Link { to, inlines } => write_link(runs, to, inlines, style, plain),
            Inline::Break => runs.push("\n", style),
        }
    }
}

/// Telegram links http and https; a number or mail address is written out instead, and Telegram
/// finds it by itself.
fn write_link(runs: &mut Runs, to: &str, inlines: &[Inline], style: &Style, plain: bool) {
    if to.starts_with("https://") || to.starts_with("http://") {
        let style = Style { link: Some(Arc::from(to)), ..style.clone() };
        write_inlines(runs, inlines, &style, plain);
        return;
    }
    let mut words = Runs::default();
    write_inlines(&mut words, inlines, style, plain);
    let shown = to.strip_prefix("mailto:").or_else(|| to.strip_prefix("tel:")).unwrap_or(to);
    let same = words.text() == shown;
    runs.append(words);
    if !same {
        runs.push(&format!(" ({shown})"), style);
    }
}

//! Markdown as a small tree, so that no channel ever handles markup that came from outside.
//!
//! HTML in a text is text; links keep only the schemes a citizen can expect. Whatever is built
//! from the tree escapes every leaf, which makes injection impossible by construction.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "block", rename_all = "snake_case")]
pub enum Block {
    /// `level` 2 to 4: level 1 is the title's.
    Heading {
        level: u8,
        inlines: Vec<Inline>,
    },
    Paragraph {
        inlines: Vec<Inline>,
    },
    /// `start`: the first number of an ordered list, none for bullets.
    List {
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Quote {
        blocks: Vec<Block>,
    },
    Rule,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "inline", rename_all = "snake_case")]
pub enum Inline {
    Text { text: String },
    Strong { inlines: Vec<Inline> },
    Emphasis { inlines: Vec<Inline> },
    Link { to: String, inlines: Vec<Inline> },
    Break,
}

enum Frame {
    Blocks(Vec<Block>),
    Heading(u8, Vec<Inline>),
    Paragraph(Vec<Inline>),
    List(Option<u64>, Vec<Vec<Block>>),
    Item(Vec<Block>, Vec<Inline>),
    Quote(Vec<Block>),
    Strong(Vec<Inline>),
    Emphasis(Vec<Inline>),
    Link(String, Vec<Inline>),
}

/// Nesting beyond this is flattened, so that a hostile text can't exhaust a stack.
const MAX_DEPTH: usize = 24;

/// Parses CommonMark. Never fails; raw HTML becomes text; images become their alternative text;
/// a link whose scheme is not http, https, mailto or tel keeps its words and loses its target.
#[must_use]
pub fn parse_markdown(text: &str) -> Vec<Block> {
    let mut stack = vec![Frame::Blocks(Vec::new())];
    let mut skipped = 0_usize;
    for event in Parser::new_ext(text, Options::empty()) {
        match event {
            Event::Start(tag) => {
                let frame = if stack.len() >= MAX_DEPTH { None } else { open(tag) };
                match frame {
                    Some(frame) => stack.push(frame),
                    None => skipped += 1,
                }
            }
            Event::End(tag) => {
                let transparent = stack.len() >= MAX_DEPTH && skipped > 0 || !has_frame(tag);
                if transparent {
                    skipped = skipped.saturating_sub(1);
                } else if stack.len() > 1
                    && let Some(frame) = stack.pop()
                {
                    close(frame, &mut stack);
                }
            }
            Event::Text(words)
            | Event::Code(words)
            | Event::Html(words)
            | Event::InlineHtml(words) => {
                push_inline(&mut stack, Inline::Text { text: words.into_string() });
            }
            Event::SoftBreak => push_inline(&mut stack, Inline::Text { text: " ".to_owned() }),
            Event::HardBreak => push_inline(&mut stack, Inline::Break),
            Event::Rule => push_block(&mut stack, Block::Rule),
            _ => {}
        }
    }
    while stack.len() > 1 {
        if let Some(frame) = stack.pop() {
            close(frame, &mut stack);
        }
    }
    match stack.pop() {
        Some(Frame::Blocks(blocks)) => blocks,
        _ => Vec::new(),
    }
}

fn open(tag: Tag<'_>) -> Option<Frame> {
    Some(match tag {
        Tag::Paragraph | Tag::HtmlBlock | Tag::CodeBlock(_) => Frame::Paragraph(Vec::new()),
        Tag::Heading { level, .. } => Frame::Heading((level as u8).clamp(2, 4), Vec::new()),
        Tag::BlockQuote(_) => Frame::Quote(Vec::new()),
        Tag::List(start) => Frame::List(start, Vec::new()),
        Tag::Item => Frame::Item(Vec::new(), Vec::new()),
        Tag::Strong => Frame::Strong(Vec::new()),
        Tag::Emphasis => Frame::Emphasis(Vec::new()),
        Tag::Link { dest_url, .. } => Frame::Link(allowed_link(&dest_url), Vec::new()),
        _ => return None,
    })
}

fn has_frame(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Paragraph
            | TagEnd::HtmlBlock
            | TagEnd::CodeBlock
            | TagEnd::Heading(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Strong
            | TagEnd::Emphasis
            | TagEnd::Link
    )
}

fn allowed_link(url: &str) -> String {
    let lower = url.trim().to_ascii_lowercase();
    let allowed =
        ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| lower.starts_with(scheme));
    if allowed && !url.chars().any(char::is_control) {
        url.trim().to_owned()
    } else {
        String::new()
    }
}

fn close(frame: Frame, stack: &mut [Frame]) {
    match frame {
        Frame::Blocks(blocks) => blocks.into_iter().for_each(|block| push_block(stack, block)),
        Frame::Heading(level, inlines) => push_block(stack, Block::Heading { level, inlines }),
        Frame::Paragraph(inlines) => {
            if !inlines.is_empty() {
                push_block(stack, Block::Paragraph { inlines });
            }
        }
        Frame::List(start, items) => push_block(stack, Block::List { start, items }),
        Frame::Item(mut blocks, loose) => {
            if !loose.is_empty() {
                blocks.insert(0, Block::Paragraph { inlines: loose });
            }
            match stack.last_mut() {
                Some(Frame::List(_, items)) => items.push(blocks),
                _ => blocks.into_iter().for_each(|block| push_block(stack, block)),
            }
        }
        Frame::Quote(blocks) => push_block(stack, Block::Quote { blocks }),
        Frame::Strong(inlines) => push_inline(stack, Inline::Strong { inlines }),
        Frame::Emphasis(inlines) => push_inline(stack, Inline::Emphasis { inlines }),
        Frame::Link(to, inlines) if to.is_empty() => {
            inlines.into_iter().for_each(|inline| push_inline(stack, inline));
        }
        Frame::Link(to, inlines) => push_inline(stack, Inline::Link { to, inlines }),
    }
}

fn push_block(stack: &mut [Frame], block: Block) {
    match stack.last_mut() {
        Some(Frame::Blocks(blocks) | Frame::Quote(blocks) | Frame::Item(blocks, _)) => {
            blocks.push(block);
        }
        Some(Frame::List(_, items)) => items.push(vec![block]),
        _ => {
            if let Block::Paragraph { inlines } | Block::Heading { inlines, .. } = block {
                inlines.into_iter().for_each(|inline| push_inline(stack, inline));
            }
        }
    }
}

fn push_inline(stack: &mut [Frame], inline: Inline) {
    let inlines = match stack.last_mut() {
        Some(
            Frame::Heading(_, inlines)
            | Frame::Paragraph(inlines)
            | Frame::Strong(inlines)
            | Frame::Emphasis(inlines)
            | Frame::Link(_, inlines)
            | Frame::Item(_, inlines),
        ) => inlines,
        Some(Frame::Blocks(blocks) | Frame::Quote(blocks)) => {
            blocks.push(Block::Paragraph { inlines: vec![inline] });
            return;
        }
        Some(Frame::List(_, items)) => {
            items.push(vec![Block::Paragraph { inlines: vec![inline] }]);
            return;
        }
        None => return,
    };
    if let (Inline::Text { text: more }, Some(Inline::Text { text })) =
        (&inline, inlines.last_mut())
    {
        text.push_str(more);
    } else {
        inlines.push(inline);
    }
}

/// The words alone, a blank line between blocks, `- ` before items, a link's target in brackets
/// after its words where they differ.
#[must_use]
pub fn plain_text(blocks: &[Block]) -> String {
    let mut out = String::new();
    write_blocks(&mut out, blocks, "");
    out.truncate(out.trim_end().len());
    out
}

fn write_blocks(out: &mut String, blocks: &[Block], indent: &str) {
    for block in blocks {
        match block {
            Block::Heading { inlines, .. } | Block::Paragraph { inlines } => {
                out.push_str(indent);
                write_inlines(out, inlines, indent);
                out.push_str("\n\n");
            }
            Block::List { start, items } => {
                for (position, item) in items.iter().enumerate() {
                    let mark = match start {
                        Some(first) => format!("{}. ", first + position as u64),
                        None => "- ".to_owned(),
                    };
                    let mut inner = String::new();
                    let deeper = format!("{indent}{}", " ".repeat(mark.len()));
                    write_blocks(&mut inner, item, &deeper);
                    out.push_str(indent);
                    out.push_str(&mark);
                    out.push_str(inner.trim());
                    out.push('\n');
                }
                out.push('\n');
            }
            Block::Quote { blocks } => {
                let quoted = plain_text(blocks);
                for line in quoted.lines() {
                    out.push_str(indent);
                    out.push_str("> ");
                    out.push_str(line);
                    out.push('\n');
                }
                out.push('\n');
            }
            Block::Rule => {
                out.push_str(indent);
                out.push_str("--------\n\n");
            }
        }
    }
}

fn write_inlines(out: &mut String, inlines: &[Inline], indent: &str) {
    for inline in inlines {
        match inline {
            Inline::Text { text } => out.push_str(text),
            Inline::Strong { inlines } | Inline::Emphasis { inlines } => {
                write_inlines(out, inlines, indent);
            }
            Inline::Link { to, inlines } => {
                let mut words = String::new();
                write_inlines(&mut words, inlines, indent);
                out.push_str(&words);
                let shown =
                    to.strip_prefix("mailto:").or_else(|| to.strip_prefix("tel:")).unwrap_or(to);
                if words != shown {
                    out.push_str(" (");
                    out.push_str(shown);
                    out.push(')');
                }
            }
            Inline::Break => {
                out.push('\n');
                out.push_str(indent);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_text_and_scripts_have_no_target() {
        let blocks = parse_markdown("<b>x</b> [clic](javascript:alert(1)) [ok](https://lille.fr)");
        let text = plain_text(&blocks);
        assert_eq!(text, "<b>x</b> clic ok (https://lille.fr)");
    }

    #[test]
    fn lists_keep_their_numbers_and_nesting() {
        let text =
            plain_text(&parse_markdown("Avant\n\n3. trois\n4. quatre\n   - dedans\n\nAprès"));
        assert_eq!(text, "Avant\n\n3. trois\n4. quatre\n\n   - dedans\n\nAprès");
    }

    #[test]
    fn hostile_nesting_neither_overflows_nor_loses_words() {
        let text = format!("{}fin", "> ".repeat(5_000));
        assert!(plain_text(&parse_markdown(&text)).contains("fin"));
        let text = format!("{}mot{}", "*a **b ".repeat(300), "** *".repeat(300));
        assert!(plain_text(&parse_markdown(&text)).contains("mot"));
    }
}

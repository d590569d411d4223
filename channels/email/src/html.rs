//! The tree of a message as HTML for mail: every leaf is escaped, styles stand on each element
//! because many mail programs drop style sheets.

use portevoix_contract::{Block, Inline, Register};

/// Sizes of one register. Plain language asks for at least 14 points, which is 19 pixels.
pub(crate) struct Style {
    paragraph: &'static str,
    item: &'static str,
    list: &'static str,
    quote: &'static str,
    heading: [&'static str; 3],
    button: &'static str,
    emphasis: bool,
}

const STANDARD: Style = Style {
    paragraph: "margin:0 0 16px;font-size:16px;line-height:24px",
    item: "margin:0 0 8px;font-size:16px;line-height:24px",
    list: "margin:0 0 16px;padding:0 0 0 24px",
    quote: "margin:0 0 16px;padding:0 0 0 16px;border-left:4px solid #6a6a6a",
    heading: [
        "margin:24px 0 12px;font-size:21px;line-height:28px",
        "margin:20px 0 10px;font-size:18px;line-height:26px",
        "margin:16px 0 8px;font-size:16px;line-height:24px",
    ],
    button: "font-size:16px;line-height:22px",
    emphasis: true,
};

const PLAIN: Style = Style {
    paragraph: "margin:0 0 20px;font-size:19px;line-height:30px;text-align:left",
    item: "margin:0 0 14px;font-size:19px;line-height:30px;text-align:left",
    list: "margin:0 0 20px;padding:0 0 0 28px",
    quote: "margin:0 0 20px;padding:0 0 0 16px;border-left:4px solid #6a6a6a",
    heading: [
        "margin:28px 0 14px;font-size:24px;line-height:32px;text-align:left",
        "margin:24px 0 12px;font-size:21px;line-height:30px;text-align:left",
        "margin:20px 0 12px;font-size:19px;line-height:30px;text-align:left",
    ],
    button: "font-size:19px;line-height:26px",
    // Italics are an error of the plain-language rules: the words stay, the slant goes.
    emphasis: false,
};

impl Style {
    pub(crate) fn of(register: Register) -> &'static Self {
        match register {
            Register::Standard => &STANDARD,
            Register::Plain => &PLAIN,
        }
    }
}

/// Writes HTML into one string.
pub(crate) struct Writer<'s> {
    pub out: String,
    style: &'s Style,
    /// The level of the heading before, so that none is skipped.
    level: u8,
}

impl<'s> Writer<'s> {
    /// The title stands above as level 1.
    pub(crate) fn new(style: &'s Style, capacity: usize) -> Self {
        Self { out: String::with_capacity(capacity), style, level: 1 }
    }

    pub(crate) fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block, self.style.paragraph);
        }
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        self.open("p", self.style.paragraph);
        escape(&mut self.out, text);
        self.out.push_str("</p>\n");
    }

    /// A link that looks like a button and is at least 44 pixels high.
    pub(crate) fn button(&mut self, label: &str, target: &str) {
        self.out.push_str(
            "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"margin:0 0 16px\"><tr><td style=\"background-color:#003a70;border-radius:6px\"><a href=\"",
        );
        escape(&mut self.out, target);
        self.out.push_str("\" style=\"display:inline-block;padding:12px 22px;min-height:22px;color:#ffffff;font-weight:bold;text-decoration:none;");
        self.out.push_str(self.style.button);
        self.out.push_str("\">");
        escape(&mut self.out, label);
        self.out.push_str("</a></td></tr></table>\n");
    }

    fn open(&mut self, tag: &str, style: &str) {
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push_str(" style=\"");
        self.out.push_str(style);
        self.out.push_str("\">");
    }

    fn block(&mut self, block: &Block, paragraph: &str) {
        match block {
            Block::Heading { level, inlines } => {
                let level = (*level).clamp(2, 4).min(self.level + 1);
                self.level = level;
                let tag = ["h2", "h3", "h4"][usize::from(level - 2)];
                self.open(tag, self.style.heading[usize::from(level - 2)]);
                self.inlines(inlines);
                self.close(tag);
            }
            Block::Paragraph { inlines } => {
                self.open("p", paragraph);
                self.inlines(inlines);
                self.close("p");
            }
            Block::List { start, items } => self.list(*start, items),
            Block::Quote { blocks } => {
                self.open("blockquote", self.style.quote);
                for block in blocks {
                    self.block(block, paragraph);
                }
                self.close("blockquote");
            }
            Block::Rule => self
                .out
                .push_str("<hr style=\"border:0;border-top:1px solid #6a6a6a;margin:24px 0\">\n"),
        }
    }

    fn list(&mut self, start: Option<u64>, items: &[Vec<Block>]) {
        let tag = if start.is_some() { "ol" } else { "ul" };
        self.out.push('<');
        self.out.push_str(tag);
        if let Some(first) = start.filter(|first| *first != 1) {
            self.out.push_str(" start=\"");
            self.out.push_str(&first.to_string());
            self.out.push('"');
        }
        self.out.push_str(" style=\"");
        self.out.push_str(self.style.list);
        self.out.push_str("\">");
        for item in items {
            self.open("li", self.style.item);
            match item.as_slice() {
                // A lone paragraph needs no element of its own within its item.
                [Block::Paragraph { inlines }] => self.inlines(inlines),
                blocks => blocks.iter().for_each(|block| self.block(block, self.style.item)),
            }
            self.close("li");
        }
        self.close(tag);
    }

    fn close(&mut self, tag: &str) {
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push_str(">\n");
    }

    fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Text { text } => escape(&mut self.out, text),
                Inline::Strong { inlines } => self.wrapped("strong", inlines),
                Inline::Emphasis { inlines } if self.style.emphasis => self.wrapped("em", inlines),
                Inline::Emphasis { inlines } => self.inlines(inlines),
                Inline::Link { to, inlines } => {
                    self.out.push_str("<a href=\"");
                    escape(&mut self.out, to);
                    self.out.push_str("\" style=\"color:#003a70;text-decoration:underline\">");
                    self.inlines(inlines);
                    self.out.push_str("</a>");
                }
                Inline::Break => self.out.push_str("<br>\n"),
            }
        }
    }

    fn wrapped(&mut self, tag: &str, inlines: &[Inline]) {
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push('>');
        self.inlines(inlines);
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }
}

/// Escapes for text and for attributes in double quotes.
pub(crate) fn escape(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(entity);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests {
    use portevoix_contract::parse_markdown;

    use super::*;

    fn html(markdown: &str, register: Register) -> String {
        let mut writer = Writer::new(Style::of(register), 256);
        writer.blocks(&parse_markdown(markdown));
        writer.out
    }

    #[test]
    fn markup_from_outside_stays_text() {
        let out = html(
            "<script>alert(1)</script> {{ 7*7 }} [x](https://a.fr/?q=\"><img src=x>)",
            Register::Standard,
        );
        assert!(!out.contains("<script"), "{out}");
        assert!(!out.contains("<img"), "{out}");
        assert!(out.contains("{{ 7*7 }}"));
    }

    #[test]
    fn no_heading_level_is_skipped() {
        let out = html("#### a\n\n#### b\n\n#### c\n\n## d", Register::Standard);
        let levels: Vec<&str> =
            out.matches("<h").zip(out.split("<h").skip(1)).map(|(_, rest)| &rest[..1]).collect();
        assert_eq!(levels, ["2", "3", "4", "2"]);
    }

    #[test]
    fn plain_language_has_no_italics_and_large_type() {
        let out = html("*mot*", Register::Plain);
        assert!(out.contains("font-size:19px") && !out.contains("<em>") && out.contains("mot"));
    }
}

//! HTML mail as the lines that a reader of plain text would have seen.
//!
//! One pass of a small tokenizer; nothing is ever read twice, whatever the markup. Quotation
//! (`<blockquote>` as programs write it) becomes `>`, for the rules on plain text to see; what is
//! marked as a signature is handed on as a hint.

use super::line::Hint;

/// Deeper nesting is not shown: no correspondence needs it, and the output stays linear.
const MAX_DEPTH: usize = 8;

/// The lines of a document, with what its layout says about each.
pub(super) fn to_lines(html: &str) -> Vec<(String, Hint)> {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        super::steps::count(at + 1);
        writer.text(&rest[..at]);
        let tail = &rest[at..];
        match tag(tail) {
            Some(Tag { len, markup: None }) => rest = &tail[len..],
            Some(Tag { len, markup: Some(markup) }) => {
                rest = &tail[len..];
                if markup.opens && matches!(markup.name.as_str(), "style" | "script" | "title") {
                    rest = after_raw_text(rest, &markup.name);
                } else {
                    writer.markup(&markup);
                }
            }
            None if unfinished(tail) => {
                // The end of a broken document: shown rather than dropped, markup and all.
                writer.text(tail);
                rest = "";
            }
            None => {
                writer.text("<");
                rest = &tail[1..];
            }
        }
    }
    writer.text(rest);
    writer.finish()
}

struct Tag {
    len: usize,
    markup: Option<Markup>,
}

struct Markup {
    name: String,
    opens: bool,
    attributes: String,
}

impl Markup {
    fn has(&self, needle: &str) -> bool {
        self.attributes.contains(needle)
    }
}

fn looks_like_tag(tail: &str) -> bool {
    tail[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
}

fn unfinished(tail: &str) -> bool {
    looks_like_tag(tail)
}

/// The tag, comment or declaration at the head of `tail`; none where it is text, or has no end.
fn tag(tail: &str) -> Option<Tag> {
    if !looks_like_tag(tail) {
        return None;
    }
    if let Some(comment) = tail.strip_prefix("<!--") {
        let end = comment.find("-->")?;
        return Some(Tag { len: end + 7, markup: None });
    }
    let end = tag_end(tail)?;
    super::steps::count(end);
    let inner = &tail[1..end];
    let opens = !inner.starts_with('/');
    let inner = inner.trim_start_matches('/');
    let name_len =
        inner.find(|c: char| !c.is_ascii_alphanumeric() && c != ':').unwrap_or(inner.len());
    let attributes = super::fold::head(&inner[name_len..], 4_000).to_ascii_lowercase();
    Some(Tag {
        len: end + 1,
        markup: Some(Markup { name: inner[..name_len].to_ascii_lowercase(), opens, attributes }),
    })
}

/// The `>` that ends a tag, not one in a quoted attribute; a quotation mark that is never closed
/// counts for nothing when a new tag begins.
fn tag_end(tail: &str) -> Option<usize> {
    let mut quote = None;
    let mut candidate = None;
    let mut value = false;
    for (at, b) in tail.bytes().enumerate().skip(1) {
        match quote {
            Some(mark) if b == mark => quote = None,
            Some(_) if b == b'>' => candidate = candidate.or(Some(at)),
            Some(_) if b == b'<' && candidate.is_some() => return candidate,
            Some(_) => {}
            None if b == b'>' => return Some(at),
            None if matches!(b, b'"' | b'\'') && value => (quote, candidate) = (Some(b), None),
            None => value = b == b'=' || (value && b.is_ascii_whitespace()),
        }
    }
    candidate
}

/// Skips a style sheet or a program.
fn after_raw_text<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        let end = from + at;
        super::steps::count(at + 2);
        let close = rest.as_bytes().get(end + 2..end + 2 + name.len());
        if close.is_some_and(|close| close.eq_ignore_ascii_case(name.as_bytes())) {
            return &rest[end..];
        }
        from = end + 2;
    }
    ""
}

#[derive(Default)]
struct Writer {
    lines: Vec<(String, Hint)>,
    line: String,
    /// White space seen since the last word.
    space: bool,
    /// A paragraph ended: a blank line goes before the next words.
    paragraph: bool,
    quotes: Vec<bool>,
    depth: usize,
    preformatted: usize,
    link: Option<String>,
    link_text: String,
    /// Open elements of one kind inside an element that is hidden or a signature.
    hidden: Option<Nested>,
    signature: Option<Nested>,
}

struct Nested {
    name: String,
    open: usize,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() || text.is_empty() {
            return;
        }
        super::steps::count(text.len());
        let text = super::entities::decode(text);
        if self.preformatted > 0 {
            for (at, part) in text.split('\n').enumerate() {
                if at > 0 {
                    self.end_line();
                }
                self.word(part.trim_end_matches('\r'));
            }
            return;
        }
        for (at, word) in text.split([' ', '\n', '\t', '\r', '\u{c}']).enumerate() {
            self.space |= at > 0;
            if !word.is_empty() {
                self.word(word);
            }
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.paragraph {
            self.paragraph = false;
            self.blank_line();
        }
        if self.space && !self.line.is_empty() {
            self.line.push(' ');
        }
        self.space = false;
        self.line.push_str(word);
        if self.link.is_some() {
            self.link_text.push_str(word);
        }
    }

    fn markup(&mut self, markup: &Markup) {
        if nested(&mut self.hidden, markup) {
            return;
        }
        if markup.opens && hides(markup) {
            self.hidden = Some(Nested { name: markup.name.clone(), open: 1 });
            return;
        }
        if self.signature.is_some() && !nested(&mut self.signature, markup) {
            self.end_line();
        }
        if markup.opens && self.signature.is_none() && signs(markup) {
            self.end_line();
            self.signature = Some(Nested { name: markup.name.clone(), open: 1 });
        }
        match markup.name.as_str() {
            "br" => self.end_line(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "table" => {
                self.close_line();
                // Outlook's paragraphs carry their own margins: none between header lines.
                self.paragraph |= !markup.opens && markup.name == "p" && !self.lines.is_empty()
                    || markup.name.starts_with('h');
            }
            "div" | "tr" | "section" | "article" | "header" | "footer" | "dl" | "dt" | "dd"
            | "center" | "form" => self.close_line(),
            "td" | "th" => self.space = true,
            "li" => {
                self.close_line();
                if markup.opens {
                    self.word("-");
                    self.space = true;
                }
            }
            "hr" => {
                self.close_line();
                self.word("________________________________");
                self.end_line();
            }
            "pre" => {
                self.close_line();
                self.preformatted = if markup.opens {
                    self.preformatted + 1
                } else {
                    self.preformatted.saturating_sub(1)
                };
            }
            "blockquote" => self.blockquote(markup),
            "a" => self.anchor(markup),
            _ => {}
        }
    }

    /// A quotation has a blank line around it, for the author's words not to run into it.
    fn blockquote(&mut self, markup: &Markup) {
        self.close_line();
        self.paragraph = false;
        if markup.opens {
            let cites = !indents(markup);
            if cites {
                self.blank_line();
            }
            self.depth += usize::from(cites);
            self.quotes.push(cites);
        } else if self.quotes.pop() == Some(true) {
            self.depth -= 1;
            self.blank_line();
        }
    }

    /// A link shows its target where its text does not.
    fn anchor(&mut self, markup: &Markup) {
        if markup.opens {
            self.link =
                attribute(&markup.attributes, "href").filter(|href| href.starts_with("http"));
            self.link_text.clear();
        } else if let Some(href) = self.link.take() {
            let shown = self.link_text.to_ascii_lowercase();
            let said = shown.is_empty()
                || shown.contains('@')
                || (shown.contains(['.', '/']) && href.contains(shown.trim_end_matches('/')))
                || shown.contains(href.as_str());
            if !said {
                self.line.push_str(&format!("<{href}>"));
            }
        }
    }

    /// Ends a line that has something on it.
    fn close_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line();
        }
        self.line.clear();
        self.space = false;
    }

    fn end_line(&mut self) {
        let prefix = ">".repeat(self.depth.min(MAX_DEPTH));
        let text = self.line.trim_end();
        let space = if prefix.is_empty() || text.is_empty() { "" } else { " " };
        let hint = if self.signature.is_some() { Hint::Signature } else { Hint::None };
        // `-- ` keeps the space that makes it a delimiter.
        let text = if text == "--" { "-- " } else { text };
        self.lines.push((format!("{prefix}{space}{text}"), hint));
        self.line.clear();
        self.space = false;
    }

    fn blank_line(&mut self) {
        if self.lines.last().is_some_and(|(line, _)| !line.trim_start_matches('>').is_empty())
            && self.line.is_empty()
        {
            self.end_line();
        }
    }

    fn finish(mut self) -> Vec<(String, Hint)> {
        self.close_line();
        self.lines
    }
}

/// Follows an element to its end. True while inside, its end tag included.
fn nested(open: &mut Option<Nested>, markup: &Markup) -> bool {
    let Some(inner) = open else { return false };
    if inner.name == markup.name {
        inner.open = if markup.opens { inner.open + 1 } else { inner.open - 1 };
        if inner.open == 0 {
            *open = None;
            return false;
        }
    }
    true
}

fn hides(markup: &Markup) -> bool {
    let void = matches!(
        markup.name.as_str(),
        "br" | "hr" | "img" | "input" | "meta" | "link" | "col" | "base" | "p"
    );
    !void
        && !markup.attributes.ends_with('/')
        && (markup.name == "head" || markup.has("display:none") || markup.has("display: none"))
}

/// The marks by which Gmail, Thunderbird, Outlook and others wrap a signature.
fn signs(markup: &Markup) -> bool {
    matches!(markup.name.as_str(), "div" | "span" | "table" | "pre" | "p")
        && [
            "gmail_signature",
            "moz-signature",
            "id=\"signature\"",
            "id=signature",
            "ms-outlook-mobile-signature",
            "applemailsignature",
            "yahoo-signature",
            "ydp-signature",
            "zimbra_signature",
            "protonmail_signature_block",
            "bloop-signature",
            "mobile-signature",
            "data-marker=\"__sig",
            "x_signature",
        ]
        .iter()
        .any(|mark| markup.has(mark))
}

/// A block quotation that the author uses to indent.
fn indents(markup: &Markup) -> bool {
    let cites = markup.has("cite") || markup.has("quote") || markup.has("border-left");
    !cites
        && (markup.has("border:none")
            || markup.has("border: none")
            || markup.has("border:medium none"))
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let at = attributes.find(&format!("{name}="))? + name.len() + 1;
    let rest = &attributes[at..];
    let value = match rest.chars().next()? {
        mark @ ('"' | '\'') => rest[1..].split(mark).next()?,
        _ => rest.split([' ', '\t', '\n', '>']).next()?,
    };
    Some(super::entities::decode(value).into_owned())
}

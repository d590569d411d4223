//! Styled text as a flat list of runs. HTML is written from it slice by slice, so a tag can be
//! neither cut nor left open, and every character is escaped where it is written.

use std::{ops::Range, sync::Arc};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub bold: bool,
    pub italic: bool,
    pub link: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    text: String,
    style: Style,
}

/// What is written so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    /// Control characters other than the line break are no text.
    pub(crate) fn push(&mut self, text: &str, style: &Style) {
        let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(run) if run.style == *style => run.text.push_str(&text),
            _ => self.0.push(Run { text, style: style.clone() }),
        }
    }

    pub(crate) fn push_plain(&mut self, text: &str) {
        self.push(text, &Style::default());
    }

    /// Ends the line, and leaves an empty one.
    pub(crate) fn end_paragraph(&mut self) {
        let backwards = self.0.iter().rev().flat_map(|run| run.text.chars().rev());
        let breaks = backwards.take_while(|c| *c == '\n').count();
        if !self.0.is_empty() && breaks < 2 {
            self.push_plain(&"\n\n"[breaks..]);
        }
    }

    pub(crate) fn end_line(&mut self) {
        if self.0.last().is_some_and(|run| !run.text.ends_with('\n')) {
            self.push_plain("\n");
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|run| run.text.as_str()).collect()
    }

    pub(crate) fn append(&mut self, other: Self) {
        for run in other.0 {
            self.push(&run.text, &run.style);
        }
    }

    /// Without white space at the end, every line but the first after `indent`.
    pub(crate) fn indented(mut self, indent: &str) -> Self {
        while let Some(run) = self.0.last_mut() {
            run.text.truncate(run.text.trim_end().len());
            if !run.text.is_empty() {
                break;
            }
            self.0.pop();
        }
        for run in &mut self.0 {
            run.text = run.text.replace('\n', &format!("\n{indent}"));
        }
        self
    }

    /// Replaces the one-byte characters at these positions of [`Self::text`] by line breaks.
    pub(crate) fn break_at(&mut self, positions: &[usize]) {
        let mut start = 0;
        for run in &mut self.0 {
            let end = start + run.text.len();
            for at in positions.iter().filter(|at| (start..end).contains(at)) {
                run.text.replace_range(at - start..at - start + 1, "\n");
            }
            start = end;
        }
    }

    /// The HTML of a slice of [`Self::text`], given in bytes on character boundaries.
    pub(crate) fn html(&self, slice: &Range<usize>) -> String {
        let mut html = String::new();
        let mut start = 0;
        for run in &self.0 {
            let end = start + run.text.len();
            let (from, to) = (slice.start.max(start), slice.end.min(end));
            if from < to {
                write_run(&mut html, &run.text[from - start..to - start], &run.style);
            }
            start = end;
        }
        html
    }
}

fn write_run(html: &mut String, text: &str, style: &Style) {
    // Telegram drops entities around white space alone.
    if text.trim().is_empty() {
        html.push_str(text);
        return;
    }
    if let Some(link) = &style.link {
        html.push_str("<a href=\"");
        escape(html, link);
        html.push_str("\">");
    }
    if style.bold {
        html.push_str("<b>");
    }
    if style.italic {
        html.push_str("<i>");
    }
    escape(html, text);
    if style.italic {
        html.push_str("</i>");
    }
    if style.bold {
        html.push_str("</b>");
    }
    if style.link.is_some() {
        html.push_str("</a>");
    }
}

fn escape(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
}

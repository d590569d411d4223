//! Where templates come from, and how one is evaluated.

use std::{collections::BTreeSet, fs, path::Path};

use include_dir::{Dir, include_dir};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, value::Serde};
use portevoix_contract::{Block, Inline, Language, Register, parse_markdown, plain_text};
use serde::Serialize;

use super::{RenderError, dates, escape};

pub(super) static INCLUDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/messages");

/// What surrounds every message: greeting, labels, words for decisions, and the footer as body.
pub(super) const FRAME: &str = "frame";
/// What a frame's front matter has to hold.
pub(super) const FRAME_LINES: [&str; 9] = [
    "greeting",
    "answer",
    "page",
    "register",
    "retained",
    "partly",
    "not_retained",
    "service",
    "reach",
];

/// Renders events and notices. Cheap to share, made once.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    /// `consultation.opened/fr.plain` for each template there is.
    names: BTreeSet<String>,
}

impl Renderer {
    /// Reads the templates of the program, then those of `override_dir`
    /// (`<dir>/<event>/<language>.md` and `.plain.md`), which replace or add.
    ///
    /// # Errors
    /// Where the folder can't be read, or a template's front matter or syntax is wrong.
    pub fn new(override_dir: Option<&Path>) -> Result<Self, RenderError> {
        let mut environment = Environment::new();
        // debug reports show the values, and those may be a citizen's words
        environment.set_debug(false);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(escape::formatter);
        environment.set_auto_escape_callback(|name| {
            if name.ends_with("#body") {
                AutoEscape::Custom(escape::MARKDOWN.into())
            } else {
                AutoEscape::None
            }
        });
        environment.add_filter("date", dates::date_filter);
        environment.add_filter("moment", dates::moment_filter);
        // no template, not even an operator's own, may declare a value from outside to be markup
        environment.remove_filter("safe");
        let mut renderer = Self { environment, names: BTreeSet::new() };
        for folder in INCLUDED.dirs() {
            for file in folder.files() {
                let text = file.contents_utf8().ok_or_else(|| RenderError::Malformed {
                    name: file.path().display().to_string(),
                    why: "is not UTF-8".to_owned(),
                })?;
                renderer.add(file.path(), text)?;
            }
        }
        if let Some(folder) = override_dir {
            renderer.add_folder(folder)?;
        }
        Ok(renderer)
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), RenderError> {
        let read = |path: &Path| {
            let failed = |source| RenderError::Read { path: path.to_path_buf(), source };
            fs::read_dir(path)
                .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
                .map_err(failed)
        };
        let folders: Vec<_> = read(folder)?;
        for subject in folders.iter().filter(|path| path.is_dir()) {
            let files: Vec<_> = read(subject)?;
            for file in files.iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
                let text = fs::read_to_string(file)
                    .map_err(|source| RenderError::Read { path: file.clone(), source })?;
                self.add(file.strip_prefix(folder).unwrap_or(file), &text)?;
            }
        }
        Ok(())
    }

    /// `path` is `<event>/<language>[.plain].md`.
    fn add(&mut self, path: &Path, text: &str) -> Result<(), RenderError> {
        let name = path.with_extension("").to_string_lossy().replace('\\', "/");
        let malformed =
            |why: &str| RenderError::Malformed { name: name.clone(), why: why.to_owned() };
        let (front, body) = front_matter(text)
            .ok_or_else(|| malformed("does not start with front matter between --- lines"))?;
        let mut parts = vec![("body", self.body_source(&name, body))];
        for line in front.lines().filter(|line| !line.trim().is_empty()) {
            let (key, value) = line
                .split_once(':')
                .ok_or_else(|| malformed("has a front matter line without a colon"))?;
            parts.push((key.trim(), value.trim().to_owned()));
        }
        for (part, source) in parts {
            let full = format!("{name}#{part}");
            self.environment
                .add_template_owned(full.clone(), source)
                .map_err(|source| RenderError::Template { name: full, source })?;
        }
        self.names.insert(name);
        Ok(())
    }

    /// In the plain register one line is one paragraph; French is set with its own spaces.
    fn body_source(&self, name: &str, body: &str) -> String {
        let body = if name.ends_with(".plain") {
            body.lines().map(str::trim).collect::<Vec<_>>().join("\n\n")
        } else {
            body.to_owned()
        };
        let french = name.rsplit('/').next().is_some_and(|file| file.starts_with("fr"));
        if french { french_spaces(&body) } else { body }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The template of a subject in that very language and register, where there is one (and a
    /// frame to go with it).
    pub(super) fn find(
        &self,
        subject: &str,
        language: &Language,
        register: Register,
    ) -> Option<Name> {
        let suffix = match register {
            Register::Standard => "",
            Register::Plain => ".plain",
        };
        let name = Name {
            text: format!("{subject}/{language}{suffix}"),
            frame: format!("{FRAME}/{language}{suffix}"),
        };
        (self.names.contains(&name.text) && self.names.contains(&name.frame)).then_some(name)
    }

    /// One line of a template's front matter, or nothing where it has no such line.
    pub(super) fn line(
        &self,
        name: &str,
        part: &str,
        context: &impl Serialize,
    ) -> Result<Option<String>, RenderError> {
        let full = format!("{name}#{part}");
        let Ok(template) = self.environment.get_template(&full) else { return Ok(None) };
        let text = template
            .render(Serde(context))
            .map_err(|source| RenderError::Template { name: full, source })?;
        Ok(Some(escape::one_line(&text)).filter(|line| !line.is_empty()))
    }

    /// As [`Self::line`], for a line that has to be there.
    pub(super) fn needed(
        &self,
        name: &str,
        part: &str,
        context: &impl Serialize,
    ) -> Result<String, RenderError> {
        self.line(name, part, context)?.ok_or_else(|| RenderError::Malformed {
            name: name.to_owned(),
            why: format!("has no `{part}` in its front matter"),
        })
    }

    /// A template's text, with the event's own Markdown in the place of `{{ body }}`.
    pub(super) fn blocks(
        &self,
        name: &str,
        context: &impl Serialize,
        markdown: Option<&str>,
    ) -> Result<Vec<Block>, RenderError> {
        let full = format!("{name}#body");
        let text = self
            .environment
            .get_template(&full)
            .and_then(|template| template.render(Serde(context)))
            .map_err(|source| RenderError::Template { name: full, source })?;
        let mut blocks = Vec::new();
        for block in parse_markdown(&text) {
            match markdown {
                Some(markdown) if is_body(&block) => blocks.extend(parse_markdown(markdown)),
                _ => blocks.push(block),
            }
        }
        // the body itself may hold any character: only what is left of the mark counts
        if markdown.is_some_and(|markdown| !markdown.contains(escape::BODY))
            && plain_text(&blocks).contains(escape::BODY)
        {
            return Err(RenderError::Malformed {
                name: name.to_owned(),
                why: "has {{ body }} elsewhere than on a line of its own".to_owned(),
            });
        }
        Ok(blocks)
    }
}

/// A template that exists, with the frame of its language and register.
pub(super) struct Name {
    pub text: String,
    pub frame: String,
}

fn is_body(block: &Block) -> bool {
    matches!(block, Block::Paragraph { inlines }
        if matches!(inlines.as_slice(), [Inline::Text { text }] if text == escape::BODY))
}

fn front_matter(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start_matches('\u{FEFF}').strip_prefix("---")?.trim_start_matches('\r');
    let (front, body) = rest.strip_prefix('\n')?.split_once("\n---")?;
    Some((front, body))
}

/// A space before high punctuation and inside quotation marks must not break a line.
fn french_spaces(text: &str) -> String {
    let mut text = text.replace("« ", "«\u{A0}").replace(" »", "\u{A0}»");
    for mark in [':', ';', '?', '!'] {
        text = text.replace(&format!(" {mark}"), &format!("\u{A0}{mark}"));
    }
    text
}

//! A message in as few segments as it takes.

use std::fmt;

use portevoix_contract::{Action, Message, Recipient, Register, TextState, Unshapeable};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::{
    config::ShapeConfig,
    segments::{Encoding, cost, split},
    sentences::{cut_at_word, cut_in_word, fold, lines, sentences},
    transliterate::transliterate,
    words::Words,
};

/// A text message as it is sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsContent {
    pub text: String,
    pub encoding: Encoding,
    /// Septets or UTF-16 units, as [`crate::Cost`].
    pub units: usize,
    /// Messages billed.
    pub segments: usize,
    /// Accents and marks were taken off to save segments.
    pub transliterated: bool,
    /// The text in its segments, for display.
    pub parts: Vec<String>,
}

/// Never the words: what is sent to a citizen has no place in a log.
impl fmt::Debug for SmsContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsContent")
            .field("encoding", &self.encoding)
            .field("units", &self.units)
            .field("segments", &self.segments)
            .field("transliterated", &self.transliterated)
            .finish_non_exhaustive()
    }
}

impl SmsContent {
    /// Measures and splits a text that is ready.
    #[must_use]
    pub fn of(text: String, transliterated: bool) -> Self {
        let measured = cost(&text);
        Self {
            encoding: measured.encoding,
            units: measured.units,
            segments: measured.segments,
            parts: split(&text),
            transliterated,
            text,
        }
    }
}

/// Makes text messages. Pure: the same message always gives the same content.
#[derive(Debug, Clone)]
pub struct SmsShaper {
    config: ShapeConfig,
}

/// The words of a message, before they are fitted into segments.
struct Source {
    /// What must be said: the short text, or the title.
    core: String,
    /// Sentences that may follow, in order, each with what joins it to what stands before.
    more: Vec<(&'static str, String)>,
    /// How to answer, the page, how to object: the richest first.
    tails: Vec<String>,
    /// The page says the rest: only room that is paid for anyway is filled.
    brief: bool,
    register: Register,
}

struct Draft {
    text: String,
    segments: usize,
    /// Sentences said, to compare two drafts by.
    said: usize,
}

impl SmsShaper {
    #[must_use]
    pub fn new(config: ShapeConfig) -> Self {
        Self { config }
    }

    /// The short text if there is one, else the title and the first sentences; then how to answer,
    /// the page's link and, on a broadcast, how to object. With a page, no more segments than the
    /// short text or title and these take; without one, up to `max_segments`.
    ///
    /// Nothing in a text message is one citizen's own, so the recipient changes nothing.
    ///
    /// # Errors
    /// Where even the options, link and objection alone don't fit `max_segments`.
    pub fn shape(
        &self,
        message: &Message,
        _recipient: &Recipient,
    ) -> Result<SmsContent, Unshapeable> {
        let source = self.source(message);
        let as_is = self.draft(&source.map(|text| text.nfc().collect()));
        let latin = if self.config.transliterate {
            self.draft(&source.map(transliterate_words))
        } else {
            None
        };
        let (draft, transliterated) = match (as_is, latin) {
            (Some(as_is), Some(latin)) => {
                if (latin.segments, as_is.said) < (as_is.segments, latin.said) {
                    let changed = latin.text != as_is.text;
                    (latin, changed)
                } else {
                    (as_is, false)
                }
            }
            (Some(as_is), None) => (as_is, false),
            (None, Some(latin)) => (latin, true),
            (None, None) => {
                let why = format!(
                    "answers, link and objection alone take more than {} segments",
                    self.config.max_segments
                );
                return Err(Unshapeable { channel: "sms", why });
            }
        };
        Ok(SmsContent::of(draft.text, transliterated))
    }

    fn source(&self, message: &Message) -> Source {
        let words = Words::of(&message.language);
        let brief = message.page.is_some();
        let mut core = String::new();
        if let Some(signature) = &self.config.signature {
            core.push_str(signature.trim());
            core.push(' ');
        }
        if message.text_state == TextState::StandardInstead {
            core.push_str(words.not_plain);
            core.push('\n');
        }
        let mut more = Vec::new();
        let short = message.short.as_deref().map(fold).filter(|short| !short.is_empty());
        if let Some(short) = short {
            core.push_str(&short);
        } else {
            core.push_str(&fold(&message.title));
            for line in lines(&message.blocks, !brief) {
                for (position, sentence) in sentences(&line).into_iter().enumerate() {
                    let same_line = position > 0 && message.register == Register::Standard;
                    more.push((if same_line { " " } else { "\n" }, sentence.to_owned()));
                }
            }
        }
        Source { core, more, tails: self.tails(message, words), brief, register: message.register }
    }

    fn tails(&self, message: &Message, words: &Words) -> Vec<String> {
        let options: Vec<(&str, &str)> = message
            .actions
            .iter()
            .filter_map(|action| match action {
                Action::Choose { key, label } => Some((key.as_str(), label.as_str())),
                _ => None,
            })
            .filter(|_| self.config.two_way)
            .collect();
        let own_words = self.config.two_way
            && message.actions.iter().any(|action| matches!(action, Action::Answer { .. }));
        let tail = |options: &[(&str, &str)]| {
            let mut tail = vec![words.answers(options, own_words, message.register)];
            match &message.page {
                Some(page) => tail.push(page.clone()),
                None => tail.extend(message.actions.iter().filter_map(|action| match action {
                    Action::Link { label, url } => Some(words.link(&fold(label), url)),
                    _ => None,
                })),
            }
            if message.broadcast {
                tail.push(words.stop(self.config.stop_number.as_deref(), message.register));
            }
            tail.retain(|line| !line.is_empty());
            tail.join("\n")
        };
        let mut tails = vec![tail(&options)];
        if message.page.is_some() && !options.is_empty() {
            // the page explains the keys
            let keys: Vec<(&str, &str)> = options.iter().map(|(key, _)| (*key, "")).collect();
            tails.push(tail(&keys));
        }
        tails
    }

    fn draft(&self, source: &Source) -> Option<Draft> {
        let max = self.config.max_segments;
        let takes = |lead: &str, tail: &str| cost(&join(lead, tail)).segments;
        let tail = source
            .tails
            .iter()
            .find(|tail| takes(&source.core, tail) <= max)
            .or_else(|| source.tails.last())?;
        let needed = takes(&source.core, tail);
        let limit = if source.brief { needed.min(max) } else { max };
        let fits = |lead: &str| takes(lead, tail) <= limit;
        let (lead, said) =
            if needed <= max { extend(source, fits) } else { (shorten(&source.core, fits)?, 0) };
        let text = join(&lead, tail);
        let segments = cost(&text).segments;
        Some(Draft { text, segments, said })
    }
}

impl Source {
    fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self {
            core: change(&self.core),
            more: self.more.iter().map(|(joint, text)| (*joint, change(text))).collect(),
            tails: self.tails.iter().map(|tail| change(tail)).collect(),
            ..*self
        }
    }
}

/// Links stay as they are: an address with its accents off is another address.
fn transliterate_words(text: &str) -> String {
    text.split_inclusive([' ', '\n'])
        .map(|word| if word.contains("://") { word.to_owned() } else { transliterate(word) })
        .collect()
}

fn join(lead: &str, tail: &str) -> String {
    if tail.is_empty() || lead.is_empty() {
        format!("{lead}{tail}")
    } else {
        format!("{lead}\n{tail}")
    }
}

/// Adds whole sentences while they fit; a first one that is too long is cut at a word, except in
/// plain language, where half a sentence is worse than none.
fn extend(source: &Source, fits: impl Fn(&str) -> bool) -> (String, usize) {
    const WORTH_READING: usize = 5;
    let mut lead = source.core.clone();
    let mut said = 1;
    for (joint, sentence) in &source.more {
        let longer = format!("{lead}{joint}{sentence}");
        if !fits(&longer) {
            break;
        }
        lead = longer;
        said += 1;
    }
    if said == 1
        && source.register == Register::Standard
        && let Some((joint, sentence)) = source.more.first()
    {
        let cut = cut_at_word(sentence, |cut| fits(&format!("{lead}{joint}{cut}")));
        if let Some(cut) = cut.filter(|cut| cut.split(' ').count() >= WORTH_READING) {
            lead = format!("{lead}{joint}{cut}");
        }
    }
    (lead, said)
}

/// As many whole sentences as fit, else as many words.
fn shorten(core: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let mut kept = 0;
    for sentence in sentences(core) {
        let Some(at) = core[kept..].find(sentence) else { break };
        let end = kept + at + sentence.len();
        if !fits(&core[..end]) {
            break;
        }
        kept = end;
    }
    if kept > 0 {
        return Some(core[..kept].to_owned());
    }
    cut_at_word(core, &fits).or_else(|| cut_in_word(core, &fits))
}

#[cfg(test)]
mod tests;

use jiff::civil::date;
use portevoix_contract::{Language, Message, Register, TextState};
use serde::Serialize;

use super::{
    Links, RenderError, Rendered, Renderer, Variant, samples,
    templates::{FRAME, FRAME_LINES},
};
use crate::model::event::{EventKind, Proofread};

/// What every frame may use, whatever stands in it.
#[derive(Serialize)]
struct FrameContext<'a> {
    language: &'a str,
    broadcast: bool,
    proofread: Option<&'a Proofread>,
    service: &'a str,
    reach: [&'a str; 1],
}

impl Renderer {
    /// Renders every template with the samples. One line a template: its name, and what is wrong.
    #[must_use]
    pub fn check(&self) -> Vec<(String, Result<(), String>)> {
        let names: Vec<String> = self.names().map(str::to_owned).collect();
        let missing = self.required().filter(|name| !names.contains(name));
        let missing = missing.map(|name| (name, Err("does not exist".to_owned())));
        let checked = names.iter().map(|name| (name.clone(), self.check_one(name)));
        missing.chain(checked).collect()
    }

    /// French exists of everything, in both registers.
    fn required(&self) -> impl Iterator<Item = String> {
        let notices = samples::notices();
        let notices = notices.into_iter().map(|notice| format!("notice.{}", notice.name()));
        let events = EventKind::ALL.into_iter().map(|kind| kind.name().to_owned());
        let subjects = events.chain(notices).chain([FRAME.to_owned()]);
        subjects.flat_map(|subject| [format!("{subject}/fr"), format!("{subject}/fr.plain")])
    }

    fn check_one(&self, name: &str) -> Result<(), String> {
        let (subject, file) = name.split_once('/').ok_or("stands in no folder")?;
        let (tag, register) = match file.strip_suffix(".plain") {
            Some(tag) => (tag, Register::Plain),
            None => (file, Register::Standard),
        };
        let language = Language::new(tag);
        if language.as_str() != tag {
            return Err("is not named after a language, such as fr.md or fr.plain.md".to_owned());
        }
        let messages = match subject {
            FRAME => return self.check_frame(name, tag).map_err(|error| error.to_string()),
            _ => match subject.strip_prefix("notice.") {
                Some(notice) => self.check_notice(notice, &language, register),
                None => match EventKind::from_name(subject) {
                    Some(kind) => self.check_event(kind, &language, register),
                    None => return Err("is named after no event and no notice".to_owned()),
                },
            },
        };
        let messages = messages.map_err(|error| error.to_string())?;
        if messages.is_empty() {
            return Err("is named after no event and no notice".to_owned());
        }
        if let Some(other) = messages.iter().find(|message| message.language != language) {
            return Err(format!(
                "is not used: {} is sent instead (is there a frame?)",
                other.language
            ));
        }
        messages.iter().try_for_each(complete)
    }

    fn check_frame(&self, name: &str, language: &str) -> Result<(), RenderError> {
        for line in FRAME_LINES {
            self.needed(name, line, &())?;
        }
        let proofreader = Proofread { by: "Atelier".to_owned(), on: date(2026, 11, 10) };
        for (broadcast, proofread) in [(true, Some(&proofreader)), (true, None), (false, None)] {
            let reach = ["03 20 00 00 10"];
            let context = FrameContext { language, broadcast, proofread, service: "S", reach };
            if self.blocks(name, &context, None)?.is_empty() {
                let why = "renders to no footer at all".to_owned();
                return Err(RenderError::Malformed { name: name.to_owned(), why });
            }
        }
        Ok(())
    }

    /// With the sample as it is, and with all that is optional left out.
    fn check_event(
        &self,
        kind: EventKind,
        language: &Language,
        register: Register,
    ) -> Result<Vec<Message>, RenderError> {
        let mut full = samples::event(kind)?;
        // a template in a language that the sample does not speak is checked with French words
        if let Some(french) = full.data.message.get(Language::DEFAULT).cloned() {
            full.data.message.entry(language.as_str().to_owned()).or_insert(french);
        }
        let mut bare = full.clone();
        bare.data.consultation.url = None;
        bare.data.consultation.opens = None;
        bare.data.consultation.closes = None;
        bare.data.consultation.contact = None;
        bare.data.question = None;
        bare.data.outcomes.clear();
        bare.data.meeting = None;
        for words in bare.data.message.values_mut() {
            words.sms = None;
            if let Some(plain) = &mut words.plain {
                plain.proofread = None;
            }
        }
        let variant = Variant { language: language.clone(), register, ..Variant::default() };
        let page = Some("https://participation.example/c/abc".to_owned());
        let mut messages = Vec::new();
        for (event, links) in [(&full, Links { page }), (&bare, Links::default())] {
            match self.broadcast(event, &variant, &links)? {
                Rendered::Message(message) => messages.push(message),
                Rendered::AwaitsPlain => {
                    let name = format!("{kind}/{language}.plain");
                    return Err(RenderError::Missing { name });
                }
            }
        }
        Ok(messages)
    }

    fn check_notice(
        &self,
        name: &str,
        language: &Language,
        register: Register,
    ) -> Result<Vec<Message>, RenderError> {
        let consultation = samples::event(EventKind::ConsultationOpened)?.data.consultation;
        let mut messages = Vec::new();
        for mut notice in samples::notices().into_iter().filter(|notice| notice.name() == name) {
            messages.push(self.notice(&notice, language, register, Some(&consultation))?);
            if let super::Notice::Receipt { excerpt, answer, .. }
            | super::Notice::Amended { excerpt, answer, .. } = &mut notice
            {
                (*excerpt, *answer) = (None, None);
            }
            messages.push(self.notice(&notice, language, register, None)?);
        }
        Ok(messages)
    }
}

/// What every message needs, whatever its channel.
fn complete(message: &Message) -> Result<(), String> {
    if message.blocks.is_empty() {
        return Err("renders to no text at all".to_owned());
    }
    if message.footer.is_empty() {
        return Err("renders without a footer that says who writes".to_owned());
    }
    if message.short.is_none() {
        return Err("has no short text for text messages".to_owned());
    }
    if message.register == Register::Plain && message.text_state == TextState::Standard {
        return Err("is plain and does not say so".to_owned());
    }
    Ok(())
}

//! An event, for everyone of one variant.

use minijinja::Value;
use portevoix_contract::{Action, Language, Message, Register, TextState};
use serde::Serialize;

use super::{Links, RenderError, Rendered, Renderer, Variant, escape, templates::Name};
use crate::model::event::{
    Consultation, Decision, Event, EventKind, MessageText, PlainText, Proofread, Texts,
};

/// What a template of an event can use. `body` is the event's own Markdown, on a line of its own.
#[derive(Serialize)]
struct Context<'a> {
    language: &'a str,
    broadcast: bool,
    /// Who is in charge, and the ways to reach them.
    service: String,
    reach: Vec<String>,
    consultation: ConsultationWords<'a>,
    message: MessageWords<'a>,
    plain: Option<&'a PlainText>,
    proofread: Option<&'a Proofread>,
    body: Value,
    question: Option<&'a str>,
    outcomes: Vec<OutcomeWords<'a>>,
    meeting: MeetingWords<'a>,
    /// Whether a page with more can be opened from the message.
    page: bool,
}

#[derive(Serialize)]
pub(super) struct ConsultationWords<'a> {
    title: &'a str,
    opens: Option<String>,
    closes: Option<String>,
}

impl<'a> ConsultationWords<'a> {
    pub(super) fn of(consultation: &'a Consultation, language: &Language) -> Self {
        Self {
            title: consultation.title.best(language),
            opens: consultation.opens.map(|date| date.to_string()),
            closes: consultation.closes.map(|date| date.to_string()),
        }
    }
}

/// Without the body, which is never a value; absent parts are none rather than undefined.
#[derive(Serialize)]
struct MessageWords<'a> {
    title: &'a str,
    sms: Option<&'a str>,
}

#[derive(Serialize)]
struct OutcomeWords<'a> {
    theme: &'a str,
    /// `retained`, `partly` or `not_retained`.
    decision: Decision,
    /// The decision in the language's words.
    word: String,
    reason: &'a str,
}

#[derive(Serialize, Default)]
struct MeetingWords<'a> {
    starts: Option<String>,
    place: Option<&'a str>,
    registration: bool,
}

/// The words that were chosen for a variant.
struct Choice<'a> {
    name: Name,
    language: Language,
    register: Register,
    message: &'a MessageText,
    plain: Option<&'a PlainText>,
    state: TextState,
}

impl Renderer {
    /// The message of an event for one variant. The whole of it is in one language: the variant's
    /// own where the event's text and the template exist in it, else French.
    ///
    /// # Errors
    /// Where a template is missing or can't be evaluated.
    pub fn broadcast(
        &self,
        event: &Event,
        variant: &Variant,
        links: &Links,
    ) -> Result<Rendered, RenderError> {
        match self.choose(event, variant)? {
            Some(choice) => self.fill(event, variant, links, &choice).map(Rendered::Message),
            None => Ok(Rendered::AwaitsPlain),
        }
    }

    fn choose<'a>(
        &self,
        event: &'a Event,
        variant: &Variant,
    ) -> Result<Option<Choice<'a>>, RenderError> {
        let standard = || self.standard(event, &variant.language);
        match variant.register {
            Register::Standard => standard().map(Some),
            Register::Plain => match self.plain(event, &variant.language) {
                Some(choice) => Ok(Some(choice)),
                None if variant.standard_instead => {
                    Ok(Some(Choice { state: TextState::StandardInstead, ..standard()? }))
                }
                None => Ok(None),
            },
        }
    }

    fn standard<'a>(
        &self,
        event: &'a Event,
        language: &Language,
    ) -> Result<Choice<'a>, RenderError> {
        [language.clone(), Language::default()]
            .into_iter()
            .find_map(|language| {
                let message = words(event, &language)?;
                let name = self.find(event.kind.name(), &language, Register::Standard)?;
                let (plain, state) = (None, TextState::Standard);
                Some(Choice { name, language, register: Register::Standard, message, plain, state })
            })
            .ok_or_else(|| RenderError::Missing { name: format!("{}/fr", event.kind) })
    }

    fn plain<'a>(&self, event: &'a Event, language: &Language) -> Option<Choice<'a>> {
        [language.clone(), Language::default()].into_iter().find_map(|language| {
            let message = words(event, &language)?;
            let plain = message.plain.as_ref()?;
            let name = self.find(event.kind.name(), &language, Register::Plain)?;
            let state = match plain.proofread {
                Some(_) => TextState::Proofread,
                None => TextState::Simplified,
            };
            let register = Register::Plain;
            Some(Choice { name, language, register, message, plain: Some(plain), state })
        })
    }

    fn fill(
        &self,
        event: &Event,
        variant: &Variant,
        links: &Links,
        choice: &Choice<'_>,
    ) -> Result<Message, RenderError> {
        let context = self.context(event, variant, links, choice)?;
        let name = &choice.name;
        Ok(Message {
            title: self.needed(&name.text, "title", &context)?,
            blocks: self.blocks(&name.text, &context, Some(&choice.message.body))?,
            short: self.line(&name.text, "short", &context)?,
            actions: self.actions(event, &choice.language, &name.frame)?,
            footer: self.blocks(&name.frame, &context, None)?,
            greeting: self.line(&name.frame, "greeting", &())?,
            language: choice.language.clone(),
            register: choice.register,
            text_state: choice.state,
            page: links.page.clone(),
            broadcast: true,
            topic: topic(event),
        })
    }

    fn context<'a>(
        &self,
        event: &'a Event,
        variant: &Variant,
        links: &Links,
        choice: &'a Choice<'a>,
    ) -> Result<Context<'a>, RenderError> {
        let data = &event.data;
        let (service, reach) = self.contact(Some(&data.consultation), &choice.name.frame)?;
        let meeting = data.meeting.as_ref().map(|meeting| MeetingWords {
            starts: meeting.starts.map(|at| at.to_string()),
            place: meeting.place.as_deref(),
            registration: meeting.registration.is_some(),
        });
        Ok(Context {
            language: choice.language.as_str(),
            broadcast: true,
            service,
            reach,
            consultation: ConsultationWords::of(&data.consultation, &choice.language),
            message: MessageWords {
                title: &choice.message.title,
                sms: choice.message.sms.as_deref(),
            },
            plain: choice.plain,
            proofread: choice.plain.and_then(|plain| plain.proofread.as_ref()),
            body: Value::from_safe_string(escape::BODY.to_owned()),
            question: data.question.as_ref().map(|question| question.text.best(&choice.language)),
            outcomes: self.outcomes(event, &variant.themes, choice)?,
            meeting: meeting.unwrap_or_default(),
            page: links.page.is_some() || data.consultation.url.is_some(),
        })
    }

    fn outcomes<'a>(
        &self,
        event: &'a Event,
        themes: &[String],
        choice: &Choice<'_>,
    ) -> Result<Vec<OutcomeWords<'a>>, RenderError> {
        let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
        let all = &event.data.outcomes;
        let own: Vec<_> =
            all.iter().filter(|o| themes.iter().any(|theme| same(theme, &o.theme))).collect();
        let shown = if own.is_empty() { all.iter().collect() } else { own };
        let mut words = Vec::with_capacity(shown.len());
        for outcome in shown {
            let key = match outcome.decision {
                Decision::Retained => "retained",
                Decision::Partly => "partly",
                Decision::NotRetained => "not_retained",
            };
            words.push(OutcomeWords {
                theme: &outcome.theme,
                decision: outcome.decision,
                word: self.needed(&choice.name.frame, key, &())?,
                reason: outcome.reason.best(&choice.language),
            });
        }
        Ok(words)
    }

    fn actions(
        &self,
        event: &Event,
        language: &Language,
        frame: &str,
    ) -> Result<Vec<Action>, RenderError> {
        let mut actions = Vec::new();
        if event.takes_answers() {
            let options = event.data.question.iter().flat_map(|question| &question.options);
            actions.extend(options.map(|option| Action::Choose {
                key: option.key.clone(),
                label: one(&option.label, language),
            }));
            actions.push(Action::Answer { label: self.needed(frame, "answer", &())? });
        }
        let meeting = event.data.meeting.as_ref().and_then(|meeting| meeting.registration.clone());
        if let Some(url) = meeting.filter(|_| event.kind == EventKind::MeetingScheduled) {
            actions.push(Action::Link { label: self.needed(frame, "register", &())?, url });
        }
        if let Some(url) = event.data.consultation.url.clone() {
            actions.push(Action::Link { label: self.needed(frame, "page", &())?, url });
        }
        Ok(actions)
    }

    /// The service in charge and the ways to reach it: the consultation's own, else the frame's.
    pub(super) fn contact(
        &self,
        consultation: Option<&Consultation>,
        frame: &str,
    ) -> Result<(String, Vec<String>), RenderError> {
        let contact = consultation.and_then(|consultation| consultation.contact.as_ref());
        let service = match contact.and_then(|contact| contact.service.as_deref()) {
            Some(service) if !service.trim().is_empty() => service.to_owned(),
            _ => self.needed(frame, "service", &())?,
        };
        let mut reach: Vec<String> = contact
            .into_iter()
            .flat_map(|contact| [&contact.email, &contact.phone, &contact.address])
            .flatten()
            .filter(|way| !way.trim().is_empty())
            .cloned()
            .collect();
        if reach.is_empty() {
            reach.push(self.needed(frame, "reach", &())?);
        }
        Ok((service, reach))
    }
}

/// The event's words in that very language.
fn words<'a>(event: &'a Event, language: &Language) -> Option<&'a MessageText> {
    let messages = &event.data.message;
    messages.get(language.as_str()).or_else(|| {
        messages.iter().find(|(tag, _)| Language::new(tag) == *language).map(|(_, words)| words)
    })
}

fn one(texts: &Texts, language: &Language) -> String {
    escape::one_line(texts.best(language))
}

/// ASCII letters, digits, `-` and `.` only, as `List-Id` needs it.
fn topic(event: &Event) -> String {
    let id = event.data.consultation.id.chars();
    let clean: String =
        id.map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(60).collect();
    let clean = clean.trim_matches(['-', '.']);
    if clean.is_empty() { event.kind.name().to_owned() } else { clean.to_owned() }
}

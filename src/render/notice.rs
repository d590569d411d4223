//! What the gateway says to one citizen: receipts, confirmations, questions back.

use portevoix_contract::{Action, Language, Message, Register, TextState};
use serde::Serialize;

use super::{RenderError, Renderer, broadcast::ConsultationWords, escape, templates::Name};
use crate::model::{event::Consultation, notice::Notice};

/// Longest part of a citizen's own words that a receipt repeats, in characters.
const EXCERPT: usize = 300;

/// What a template of a notice can use.
#[derive(Serialize)]
struct Context<'a> {
    language: &'a str,
    broadcast: bool,
    service: String,
    reach: Vec<String>,
    consultation: Option<ConsultationWords<'a>>,
    number: Option<&'a str>,
    received_on: Option<String>,
    excerpt: Option<String>,
    answer: Option<&'a str>,
    /// A notice is no broadcast: the frame has nothing to say of its proofreading.
    proofread: Option<()>,
}

impl Renderer {
    /// A service message. `consultation`: what it is about, where that is known; it names the
    /// service in charge. In French where there is no template in the citizen's language.
    ///
    /// # Errors
    /// Where a template is missing or can't be evaluated.
    pub fn notice(
        &self,
        notice: &Notice,
        language: &Language,
        register: Register,
        consultation: Option<&Consultation>,
    ) -> Result<Message, RenderError> {
        let subject = format!("notice.{}", notice.name());
        let (language, name) = self.notice_name(&subject, language, register)?;
        let context = self.notice_context(notice, &language, consultation, &name)?;
        Ok(Message {
            title: self.needed(&name.text, "title", &context)?,
            blocks: self.blocks(&name.text, &context, None)?,
            short: self.line(&name.text, "short", &context)?,
            actions: self.notice_actions(notice, &name, &context)?,
            footer: self.blocks(&name.frame, &context, None)?,
            greeting: self.line(&name.frame, "greeting", &())?,
            language,
            register,
            text_state: match register {
                Register::Standard => TextState::Standard,
                // no notice has been proofread by people with intellectual disability yet
                Register::Plain => TextState::Simplified,
            },
            page: None,
            broadcast: false,
            topic: subject,
        })
    }

    fn notice_name(
        &self,
        subject: &str,
        language: &Language,
        register: Register,
    ) -> Result<(Language, Name), RenderError> {
        [language.clone(), Language::default()]
            .into_iter()
            .find_map(|language| Some((language.clone(), self.find(subject, &language, register)?)))
            .ok_or_else(|| RenderError::Missing {
                name: format!("{subject}/fr ({})", register.as_str()),
            })
    }

    fn notice_context<'a>(
        &self,
        notice: &'a Notice,
        language: &'a Language,
        consultation: Option<&'a Consultation>,
        name: &Name,
    ) -> Result<Context<'a>, RenderError> {
        let (service, reach) = self.contact(consultation, &name.frame)?;
        let mut context = Context {
            language: language.as_str(),
            broadcast: false,
            service,
            reach,
            consultation: consultation.map(|c| ConsultationWords::of(c, language)),
            number: None,
            received_on: None,
            excerpt: None,
            answer: None,
            proofread: None,
        };
        match notice {
            Notice::Receipt { number, received_on, excerpt, answer }
            | Notice::Amended { number, received_on, excerpt, answer } => {
                context.number = Some(number);
                context.received_on = Some(received_on.to_string());
                context.excerpt = excerpt.as_deref().and_then(shortened);
                context.answer = answer.as_deref();
            }
            Notice::Withdrawn { number, received_on } => {
                context.number = Some(number);
                context.received_on = Some(received_on.to_string());
            }
            Notice::Held { received_on } => context.received_on = Some(received_on.to_string()),
            Notice::Stopped
            | Notice::Restarted
            | Notice::Help
            | Notice::Welcome
            | Notice::Choices { .. }
            | Notice::Confirm { .. } => {}
        }
        Ok(context)
    }

    fn notice_actions(
        &self,
        notice: &Notice,
        name: &Name,
        context: &Context<'_>,
    ) -> Result<Vec<Action>, RenderError> {
        Ok(match notice {
            Notice::Choices { items } => items
                .iter()
                .map(|(key, title)| Action::Choose {
                    key: key.clone(),
                    label: escape::one_line(title),
                })
                .collect(),
            Notice::Confirm { link } => {
                let label = self.needed(&name.text, "button", context)?;
                vec![Action::Link { label, url: link.clone() }]
            }
            _ => Vec::new(),
        })
    }
}

/// The beginning of a text, cut after a word.
fn shortened(text: &str) -> Option<String> {
    let line = escape::one_line(text);
    if line.chars().count() <= EXCERPT {
        return (!line.is_empty()).then_some(line);
    }
    let cut: String = line.chars().take(EXCERPT).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    Some(format!("{}…", &cut[..end]))
}

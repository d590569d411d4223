use portevoix_contract::{Message, Recipient, Unshapeable};
use serde::Serialize;
use serde_json::Value;

use crate::samples;

/// What must hold of a channel's content.
#[derive(Debug, Clone, Copy)]
pub struct Shaping<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// An address in the channel's own form.
    pub address: &'a str,
    /// Fields of the content, at any depth, that are read as HTML.
    pub html: &'a [&'a str],
    /// Fields that become headers or other single lines.
    pub one_line: &'a [&'a str],
}

/// Shapes every sample for every recipient. Panics with what is wrong.
///
/// Content must be the same twice (law 9), HTML fields must hold no tag or attribute that came
/// from outside, no field may hold the result of a template that came from outside, and
/// single-line fields must be one. Only the empty sample may be refused, in the channel's name.
///
/// # Panics
/// Where the shaper fails.
pub fn shaping<C: Serialize>(
    must: Shaping<'_>,
    shape: impl Fn(&Message, &Recipient) -> Result<C, Unshapeable>,
) {
    for sample in samples::all() {
        for recipient in samples::recipients(must.address) {
            let once = shape(&sample.message, &recipient);
            let twice = shape(&sample.message, &recipient);
            match (once, twice) {
                (Ok(once), Ok(twice)) => {
                    let content = as_json(&once, sample.name);
                    assert_eq!(
                        content,
                        as_json(&twice, sample.name),
                        "`{}` is shaped differently the second time",
                        sample.name
                    );
                    check(&content, "", must, sample.name);
                }
                (Err(error), Err(_)) => {
                    assert!(sample.may_be_refused, "`{}` is refused: {error}", sample.name);
                    assert_eq!(error.channel, must.channel);
                    assert!(!error.why.is_empty(), "refused without a reason");
                }
                _ => panic!("`{}` is refused one time of two", sample.name),
            }
        }
    }
}

fn as_json<C: Serialize>(content: &C, sample: &str) -> Value {
    serde_json::to_value(content)
        .unwrap_or_else(|error| panic!("`{sample}` can't be written as JSON: {error}"))
}

fn check(value: &Value, field: &str, must: Shaping<'_>, sample: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                check(value, name, must, sample);
            }
        }
        Value::Array(values) => {
            for value in values {
                check(value, field, must, sample);
            }
        }
        Value::String(text) => check_text(text, field, must, sample),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_text(text: &str, field: &str, must: Shaping<'_>, sample: &str) {
    assert!(
        !text.contains(samples::EVALUATED),
        "`{sample}`: field `{field}` holds what a template from outside evaluates to"
    );
    if must.html.contains(&field) {
        let lower = text.to_lowercase();
        for hostile in ["<script", "<img src=x", "=\"javascript:", "='javascript:"] {
            assert!(
                !lower.contains(hostile),
                "`{sample}`: HTML field `{field}` holds {hostile} unescaped"
            );
        }
    }
    if must.one_line.contains(&field) {
        assert!(
            !text.contains(['\r', '\n', '\0']),
            "`{sample}`: field `{field}` is more than one line: {text:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MUST: Shaping<'_> =
        Shaping { channel: "test", address: "x", html: &["html"], one_line: &["subject"] };

    fn refuse_empty(message: &Message) -> Result<(), Unshapeable> {
        if message.title.is_empty() {
            return Err(Unshapeable { channel: "test", why: "nothing to say".to_owned() });
        }
        Ok(())
    }

    #[test]
    fn a_sound_shaper_passes() {
        shaping(MUST, |message, _| {
            refuse_empty(message)?;
            let html = message.title.replace('&', "&amp;").replace('<', "&lt;");
            Ok(json!({ "html": html, "subject": message.title }))
        });
    }

    #[test]
    #[should_panic(expected = "holds <script unescaped")]
    fn unescaped_html_is_seen() {
        shaping(MUST, |message, _| Ok(json!({ "parts": [{ "html": message.title }] })));
    }

    #[test]
    #[should_panic(expected = "more than one line")]
    fn a_smuggled_header_is_seen() {
        shaping(MUST, |_, recipient| Ok(json!({ "subject": recipient.name })));
    }

    #[test]
    #[should_panic(expected = "differently the second time")]
    fn a_moving_shaper_is_seen() {
        let count = std::cell::Cell::new(0);
        shaping(MUST, |_, _| {
            count.set(count.get() + 1);
            Ok(json!({ "n": count.get() }))
        });
    }

    #[test]
    #[should_panic(expected = "is refused")]
    fn only_the_empty_message_may_be_refused() {
        shaping(MUST, |_, _| -> Result<Value, _> {
            Err(Unshapeable { channel: "test", why: "no".to_owned() })
        });
    }

    #[test]
    #[should_panic(expected = "evaluates to")]
    fn an_evaluated_template_is_seen() {
        shaping(MUST, |message, _| {
            refuse_empty(message)?;
            Ok(json!({ "text": message.title.replace("{{ 1234567 * 9 }}", "11111103") }))
        });
    }
}

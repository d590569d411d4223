//! A letter as its mail client, phone or chat shows it.

use portevoix_sandbox::{Direction, Letter};
use serde_json::{Value, json};

use crate::web::console::words;

/// What templates need of a letter. `all`: the box, in which answers find what they answer.
pub fn shown(letter: &Letter, all: &[Letter]) -> Value {
    let mut shown = json!({
        "id": letter.id, "title": letter.title, "at": letter.at_ms, "clock": words::clock(letter.at_ms),
        "mine": letter.direction == Direction::Out,
    });
    let content = &letter.content;
    if letter.direction == Direction::Out {
        shown["text"] = content["text"].clone();
        shown["in_reply_to"] = content["in_reply_to"].clone();
        shown["pressed"] = pressed(letter, all).into();
        return shown;
    }
    match letter.channel.as_str() {
        "email" => mail(&mut shown, content),
        "sms" => text_message(&mut shown, content),
        _ => chat(&mut shown, content),
    }
    shown
}

fn mail(shown: &mut Value, content: &Value) {
    let field = |name: &str| content[name].as_str().unwrap_or_default();
    let from = field("from");
    shown["from"] = from.into();
    shown["sender"] = from.split('<').next().unwrap_or(from).trim().trim_matches('"').into();
    shown["text"] = content["text"].clone();
    let mut headers: Vec<(String, String)> = [
        ("From", "from"),
        ("To", "to"),
        ("Reply-To", "reply_to"),
        ("Subject", "subject"),
        ("Message-ID", "message_id"),
        ("Return-Path", "envelope_from"),
    ]
    .into_iter()
    .map(|(name, key)| (name.to_owned(), field(key).to_owned()))
    .collect();
    let more: Vec<(String, String)> =
        serde_json::from_value(content["headers"].clone()).unwrap_or_default();
    headers.extend(more);
    shown["headers"] = json!(headers);
    let subject = field("subject");
    let lines = field("text").lines().map(str::trim);
    let said = lines.filter(|line| *line != subject && line.chars().any(char::is_alphanumeric));
    let preview = said.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    shown["preview"] = preview.chars().take(90).collect::<String>().into();
}

fn text_message(shown: &mut Value, content: &Value) {
    for name in ["parts", "units", "segments", "transliterated", "encoding", "text"] {
        shown[name] = content[name].clone();
    }
    let gsm = content["encoding"].as_str() == Some("gsm7");
    let several = content["segments"].as_i64().unwrap_or(1) > 1;
    shown["room"] = match (gsm, several) {
        (true, false) => 160,
        (true, true) => 153,
        (false, false) => 70,
        (false, true) => 67,
    }
    .into();
}

fn chat(shown: &mut Value, content: &Value) {
    shown["parts"] = content["parts"].clone();
    let Some(parts) = shown["parts"].as_array_mut() else { return };
    for button in parts.iter_mut().flat_map(buttons_of) {
        if let Some((_, key)) =
            button["callback_data"].as_str().and_then(|data| data.split_once(':'))
        {
            button["choice"] = key.into();
        }
    }
}

fn buttons_of(part: &mut Value) -> impl Iterator<Item = &mut Value> {
    part["buttons"].as_array_mut().into_iter().flatten().filter_map(Value::as_array_mut).flatten()
}

/// What stood on the button that was pressed.
fn pressed(letter: &Letter, all: &[Letter]) -> Option<String> {
    let key = letter.content["choice"].as_str()?;
    let answered = letter.content["in_reply_to"].as_str()?;
    let original = all.iter().find(|other| other.id == answered)?;
    let parts = original.content["parts"].as_array();
    let mut buttons =
        parts.into_iter().flatten().filter_map(|part| part["buttons"].as_array()).flatten();
    let found = buttons.find_map(|row| {
        row.as_array()?.iter().find(|button| {
            button["callback_data"].as_str().is_some_and(|data| data.ends_with(&format!(":{key}")))
        })
    });
    Some(found.and_then(|button| button["text"].as_str()).unwrap_or(key).to_owned())
}

/// A mail's links that write to the sender lead to the answer's form instead, with the words they
/// prepare: what a mail program does with them.
pub fn answered_here(html: &str, answer: &str) -> String {
    const LINK: &str = "href=\"mailto:";
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, link)) = rest.split_once(LINK) {
        let (target, after) = link.split_once('"').unwrap_or((link, ""));
        let query = target.split_once('?').map_or("", |(_, query)| query).replace("&amp;", "&");
        let body = query.split('&').find_map(|pair| pair.strip_prefix("body=")).unwrap_or_default();
        let answer = answer.replace('&', "&amp;");
        // as it stands in the link: percent-encoded already, and no more is let through
        let body: String = body
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '%' | '-' | '.' | '_' | '~'))
            .collect();
        out.push_str(before);
        out.push_str(&format!("target=\"_top\" href=\"{answer}&amp;written={body}#answer\""));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(id: &str, direction: Direction, content: Value) -> Letter {
        Letter {
            seq: 1,
            id: id.to_owned(),
            channel: "telegram".to_owned(),
            address: "1000".to_owned(),
            at_ms: 0,
            direction,
            title: "Parc".to_owned(),
            token: Some("abc".to_owned()),
            reference: "1000:1".to_owned(),
            content,
        }
    }

    #[test]
    fn a_link_that_writes_back_opens_the_form_with_its_words() {
        let html = r#"<a href="mailto:r+x@y.example?subject=Re%3A%20Parc&amp;body=2%20%E2%80%93%20Jeux">Jeux</a> <a href="https://x.example">x</a>"#;
        let here = answered_here(html, "/sandbox/email/a%40b?letter=e1");
        assert_eq!(
            here,
            r#"<a target="_top" href="/sandbox/email/a%40b?letter=e1&amp;written=2%20%E2%80%93%20Jeux#answer">Jeux</a> <a href="https://x.example">x</a>"#
        );
    }

    #[test]
    fn a_pressed_button_is_shown_by_its_words() {
        let buttons = json!([[{ "text": "Planter des arbres", "callback_data": "abc:1" }],
            [{ "text": "Ouvrir", "url": "https://x.example" }]]);
        let asked =
            letter("t1", Direction::In, json!({ "parts": [{ "html": "?", "buttons": buttons }] }));
        let press = letter(
            "a1",
            Direction::Out,
            json!({ "text": "1", "choice": "1", "in_reply_to": "t1" }),
        );
        let all = [asked.clone(), press.clone()];
        assert_eq!(shown(&press, &all)["pressed"], "Planter des arbres");
        let button = &shown(&asked, &all)["parts"][0]["buttons"];
        assert_eq!(button[0][0]["choice"], "1");
        assert_eq!(button[1][0]["choice"], Value::Null);
    }
}

use portevoix_contract::{Recipient, Unshapeable};
use serde::{Deserialize, Serialize};

use crate::shape::CHANNEL;

/// One inline button, as the Bot API takes it: with `callback_data` or with `url`, never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub callback_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
}

/// Bytes of `callback_data`, by the API.
const DATA_BYTES: usize = 64;
/// Characters a telephone shows on one button.
pub(crate) const LABEL_CHARS: usize = 40;

/// `<token>:<key>`: what comes back when the option is pressed.
pub(crate) fn option_button(
    recipient: &Recipient,
    key: &str,
    label: &str,
) -> Result<Button, Unshapeable> {
    let data = format!("{}:{key}", recipient.token);
    if data.len() > DATA_BYTES || key.is_empty() {
        let why = format!("option key `{key}` is empty or does not fit into a button");
        return Err(Unshapeable { channel: CHANNEL, why });
    }
    let text = button_text(label).unwrap_or_else(|| key.to_owned());
    Ok(Button { text, callback_data: Some(data), url: None })
}

/// None where Telegram would refuse the address, or the whole message with it.
pub(crate) fn link_button(label: &str, url: &str) -> Option<Button> {
    let text = button_text(label)?;
    public_https(url).then(|| Button { text, callback_data: None, url: Some(url.to_owned()) })
}

/// What fits on a button; none where nothing is left to read.
fn button_text(label: &str) -> Option<String> {
    let line: String =
        label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let line = line.trim();
    if line.is_empty() {
        None
    } else if line.chars().count() <= LABEL_CHARS {
        Some(line.to_owned())
    } else {
        let kept: String = line.chars().take(LABEL_CHARS - 1).collect();
        Some(format!("{}…", kept.trim_end()))
    }
}

/// Telegram refuses buttons to hosts without a dot, to addresses of this machine, and to what is
/// not a URL by RFC 3986. Plain http would open without protection: it is shown as text instead.
fn public_https(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    url.len() <= 2_048
        && url.bytes().all(allowed)
        && !authority.contains(['@', '['])
        && host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && host.parse::<std::net::Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_telegram_takes_become_buttons() {
        for url in ["https://lille.example/c/1?a=b&c=%20#d", "https://x.example:8443"] {
            assert!(link_button("Voir", url).is_some(), "{url}");
        }
        for url in [
            "http://lille.example/",
            "https://127.0.0.1/c",
            "https://localhost/c",
            "https://a@lille.example/",
            "https://lille.example/a b",
            "https://lille.example/\"",
            "javascript:alert(1)",
            "https://",
        ] {
            assert!(link_button("Voir", url).is_none(), "{url}");
        }
    }
}

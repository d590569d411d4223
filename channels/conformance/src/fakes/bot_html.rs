//! Telegram's HTML, read as strictly as the Bot API does:
//! <https://core.telegram.org/bots/api#html-style>.

const TAGS: [&str; 13] =
    ["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote"];

/// The text after entities are parsed.
///
/// # Errors
/// The words of Telegram's own refusal, where tags are unknown, unbalanced or cut.
pub fn parsed_text(html: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            rest = entity(rest, &mut text);
            continue;
        }
        let end = rest.find('>').ok_or("can't parse entities: Unclosed start tag")?;
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("can't parse entities: Unexpected end tag \"{name}\""));
            }
        } else {
            open.push(start_tag(tag)?);
        }
    }
    text.push_str(rest);
    match open.pop() {
        Some(name) => Err(format!("can't parse entities: Can't find end tag for \"{name}\"")),
        None => Ok(text),
    }
}

fn start_tag(tag: &str) -> Result<&str, String> {
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    let wellformed = match (name, attributes) {
        (_, "") => true,
        ("a", attributes) => attributes
            .strip_prefix("href=\"")
            .and_then(|value| value.strip_suffix('"'))
            .is_some_and(|value| !value.contains(['"', '<'])),
        _ => false,
    };
    if TAGS.contains(&name) && wellformed {
        Ok(name)
    } else {
        Err(format!("can't parse entities: Unsupported start tag \"{name}\""))
    }
}

/// Reads one entity; what is none stays as it is written, as the Bot API has it.
fn entity<'a>(rest: &'a str, text: &mut String) -> &'a str {
    for (written, read) in [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')] {
        if let Some(after) = rest.strip_prefix(written) {
            text.push(read);
            return after;
        }
    }
    text.push('&');
    &rest[1..]
}

#[cfg(test)]
mod tests {
    use super::parsed_text;

    #[test]
    fn as_strict_as_telegram() {
        let html = "<b>a &amp; <i>b</i></b> <a href=\"https://x.example/?a&amp;b\">c</a> & &lt;d";
        assert_eq!(parsed_text(html).as_deref(), Ok("a & b c & <d"));
        for wrong in
            ["<b>a", "a</b>", "<b><i>a</b></i>", "<p>a</p>", "a < b", "<a onclick=\"x\">a</a>"]
        {
            assert!(parsed_text(wrong).is_err(), "{wrong}");
        }
    }
}

//! A reply as a common mail client writes it: RFC 5322, quoted-printable, the original below.

use jiff::{Timestamp, tz::TimeZone};

pub(crate) struct Reply<'a> {
    /// addr-spec.
    pub from: &'a str,
    /// As in the original's Reply-To: an address, with or without a name.
    pub to: &'a str,
    /// In angle brackets, as is `in_reply_to`.
    pub message_id: &'a str,
    pub subject: &'a str,
    pub in_reply_to: Option<&'a str>,
    pub text: &'a str,
    pub quoted: Option<Quoted<'a>>,
    pub at_ms: i64,
}

pub(crate) struct Quoted<'a> {
    pub author: &'a str,
    pub at_ms: i64,
    pub text: &'a str,
}

pub(crate) fn write(reply: &Reply<'_>) -> Vec<u8> {
    let mut mail = String::new();
    let mut header = |name: &str, value: &str| {
        mail.push_str(&format!("{name}: {value}\r\n"));
    };
    header("Message-ID", reply.message_id);
    header("Date", &date(reply.at_ms, "%a, %d %b %Y %H:%M:%S +0000"));
    header("MIME-Version", "1.0");
    header("User-Agent", "Mozilla Thunderbird");
    header("Content-Language", "fr");
    header("From", &one_line(reply.from));
    header("To", &mailbox(reply.to));
    header("Subject", &encoded_words(reply.subject));
    if let Some(id) = reply.in_reply_to {
        header("In-Reply-To", id);
        header("References", id);
    }
    header("Content-Type", "text/plain; charset=UTF-8");
    header("Content-Transfer-Encoding", "quoted-printable");
    mail.push_str("\r\n");
    mail.push_str(&quoted_printable(&body(reply)));
    mail.into_bytes()
}

/// The addr-spec of `Name <addr-spec>`, or the whole.
pub(crate) fn address_of(mailbox: &str) -> &str {
    match (mailbox.rfind('<'), mailbox.rfind('>')) {
        (Some(open), Some(close)) if open < close => &mailbox[open + 1..close],
        _ => mailbox.trim(),
    }
}

fn mailbox(written: &str) -> String {
    let written = one_line(written);
    let address = address_of(&written);
    let name = written.split('<').next().unwrap_or_default().trim().trim_matches('"');
    if name.is_empty() || name == address {
        return address.to_owned();
    }
    if name.is_ascii() {
        format!("\"{}\" <{address}>", name.replace(['"', '\\'], ""))
    } else {
        format!("{} <{address}>", encoded_words(name))
    }
}

fn body(reply: &Reply<'_>) -> String {
    let mut body = format!("{}\n", reply.text.trim_end());
    if let Some(quoted) = &reply.quoted {
        let when = date(quoted.at_ms, "%d/%m/%Y à %H:%M");
        body.push_str(&format!("\nLe {when}, {} a écrit :\n", quoted.author));
        for line in quoted.text.trim_end().lines() {
            let space = if line.is_empty() || line.starts_with('>') { "" } else { " " };
            body.push_str(&format!(">{space}{line}\n"));
        }
    }
    body
}

fn date(at_ms: i64, pattern: &str) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(TimeZone::UTC);
    at.strftime(pattern).to_string()
}

/// A line break in a value would start a header of its own.
fn one_line(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).collect()
}

/// RFC 2047, Q encoding, folded; short ASCII stays as it is.
fn encoded_words(text: &str) -> String {
    let text = one_line(text);
    if text.is_ascii() && text.len() <= 66 {
        return text;
    }
    // 75 characters a word at most, and no character is cut in two.
    const ROOM: usize = 75 - "=?UTF-8?Q??=".len();
    let mut words = vec![String::new()];
    for character in text.chars() {
        let mut bytes = [0; 4];
        let written: String = match character {
            ' ' => "_".to_owned(),
            c if c.is_ascii_alphanumeric() => c.to_string(),
            // The rest of ASCII may be special where the word stands: all is written out.
            c => c.encode_utf8(&mut bytes).bytes().map(|byte| format!("={byte:02X}")).collect(),
        };
        match words.last_mut() {
            Some(word) if word.len() + written.len() <= ROOM => word.push_str(&written),
            _ => words.push(written),
        }
    }
    let words: Vec<String> = words.into_iter().map(|word| format!("=?UTF-8?Q?{word}?=")).collect();
    words.join("\r\n ")
}

/// RFC 2045 section 6.7.
fn quoted_printable(text: &str) -> String {
    const LINE: usize = 75;
    let mut out = String::new();
    for line in text.lines() {
        let mut width = 0;
        let last = line.len();
        for (position, byte) in line.bytes().enumerate() {
            let bare =
                matches!(byte, b'!'..=b'<' | b'>'..=b'~') || byte == b' ' && position + 1 < last;
            let written = if bare { char::from(byte).to_string() } else { format!("={byte:02X}") };
            if width + written.len() > LINE {
                out.push_str("=\r\n");
                width = 0;
            }
            width += written.len();
            out.push_str(&written);
        }
        out.push_str("\r\n");
    }
    out
}

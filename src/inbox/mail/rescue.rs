//! Text parts whose encoding is damaged: cut off in transit, declared wrongly, broken by a filter.
//! What can be decoded is, and the rest is left as it stands.

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
use mail_parser::{Encoding, MessagePart, MimeHeaders};

/// The text of a part: as the parser has it, or read again where that went wrong. `raw` is the
/// body of the part as it came.
pub(super) fn text(part: &MessagePart<'_>, parsed: &str, raw: &[u8]) -> String {
    let charset = part.content_type().and_then(|kind| kind.attribute("charset"));
    let charset = charset.unwrap_or_default().to_ascii_lowercase();
    if part.is_encoding_problem {
        let encoding = part.content_transfer_encoding().unwrap_or_default();
        return decoded(&lenient(raw, encoding), &charset);
    }
    let vague = matches!(
        charset.as_str(),
        "" | "us-ascii" | "ascii" | "utf-8" | "utf8" | "unknown-8bit" | "x-unknown" | "unknown"
    );
    let known = charset_decoder(charset.as_bytes()).is_some();
    if (known && !vague) || !parsed.contains('\u{fffd}') {
        return parsed.to_owned();
    }
    let bytes = match part.encoding {
        Encoding::None => Some(raw.to_vec()),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
        Encoding::Base64 => base64_decode(raw),
    };
    bytes.map_or_else(|| parsed.to_owned(), |bytes| decoded(&bytes, ""))
}

/// UTF-8 where it is, else the declared charset, else Windows-1252, which such mails nearly always
/// are.
fn decoded(bytes: &[u8], charset: &str) -> String {
    let declared = charset_decoder(charset.as_bytes())
        .filter(|_| !matches!(charset, "utf-8" | "utf8" | "us-ascii"));
    if let Some(decode) = declared {
        return decode(bytes);
    }
    match (std::str::from_utf8(bytes), charset_decoder(b"windows-1252")) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Some(decode)) => decode(bytes),
        (Err(_), None) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn lenient(raw: &[u8], encoding: &str) -> Vec<u8> {
    if encoding.eq_ignore_ascii_case("quoted-printable") {
        return lenient_quoted_printable(raw);
    }
    if encoding.eq_ignore_ascii_case("base64") {
        let sextet = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        let mut clean: Vec<u8> = raw.iter().copied().filter(sextet).collect();
        clean.truncate(clean.len() / 4 * 4);
        return base64_decode(&clean).unwrap_or_else(|| raw.to_vec());
    }
    raw.to_vec()
}

fn lenient_quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'=' {
            out.push(first);
            continue;
        }
        let digits = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        if let Some(byte) = digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            out.push(byte);
            rest = &tail[2..];
        } else if tail.is_empty() || tail.starts_with(b"\n") || tail.starts_with(b"\r\n") {
            rest = &tail[tail.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1)..];
        } else {
            out.push(b'=');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_decoded_is() {
        let text = |raw: &[u8], encoding| decoded(&lenient(raw, encoding), "utf-8");
        assert_eq!(text(b"d=C3=A9j=\r\n=C3=A0 = =Z", "Quoted-Printable"), "déjà = =Z");
        assert_eq!(text(b"Qm9u!am91cg=", "base64"), "Bonjou");
        assert_eq!(text(b"\xe9t\xe9", "8bit"), "été");
    }
}

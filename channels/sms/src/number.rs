//! Numbers as providers write them, in E.164 form.

/// National prefixes overseas and their country codes; the mainland's is 33.
const OVERSEAS: &[(&str, &str)] = &[
    ("0690", "590"),
    ("0691", "590"),
    ("0590", "590"),
    ("0694", "594"),
    ("0594", "594"),
    ("0696", "596"),
    ("0697", "596"),
    ("0596", "596"),
    ("0692", "262"),
    ("0693", "262"),
    ("0262", "262"),
    ("0639", "262"),
    ("0269", "262"),
];

/// Whether a number is `+` and 7 to 15 digits, the first not zero.
pub(crate) fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// E.164 as far as what the provider gave allows: spaces and marks off, `00` and a missing `+`
/// mended, French national numbers completed. A short number or a name stays as it is.
pub(crate) fn e164(given: &str) -> String {
    let bare: String = given
        .chars()
        .filter(|char| !char.is_whitespace() && !"-./()\u{200b}".contains(*char))
        .collect();
    let digits = bare.strip_prefix('+').unwrap_or(&bare);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return given.trim().to_owned();
    }
    let whole = if bare.starts_with('+') {
        bare.clone()
    } else if let Some(international) = digits.strip_prefix("00") {
        format!("+{international}")
    } else if digits.len() == 10 && digits.starts_with('0') {
        let country =
            OVERSEAS.iter().find(|(prefix, _)| digits.starts_with(prefix)).map_or("33", |o| o.1);
        format!("+{country}{}", &digits[1..])
    } else if digits.len() >= 10 {
        format!("+{digits}")
    } else {
        return bare;
    };
    if is_e164(&whole) { whole } else { bare }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_e164() {
        for (given, expected) in [
            ("+33612345678", "+33612345678"),
            ("0033 6 12 34 56 78", "+33612345678"),
            ("33612345678", "+33612345678"),
            ("06.12.34.56.78", "+33612345678"),
            ("0692123456", "+262692123456"),
            ("0690123456", "+590690123456"),
            ("+32 470 12 34 56", "+32470123456"),
            ("38123", "38123"),
            ("MEL", "MEL"),
            (" Info Lille ", "Info Lille"),
            ("", ""),
            ("+0123", "+0123"),
        ] {
            assert_eq!(e164(given), expected);
        }
        assert!(is_e164("+33612345678"));
        for wrong in ["", "+", "+0612345678", "33612345678", "+336 12", "+3361234567890123"] {
            assert!(!is_e164(wrong), "{wrong}");
        }
    }
}

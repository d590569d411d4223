//! The console's French: names of things, dates and numbers as people here write them.

use jiff::civil::Date;

use crate::model::paris;

/// An event's name in words.
pub fn kind(name: &str) -> String {
    match name {
        "project.announced" => "Annonce d’un projet",
        "contract.published" => "Contrat de participation publié",
        "contract.amended" => "Contrat de participation modifié",
        "strategy.published" => "Stratégie de participation publiée",
        "consultation.opened" => "Ouverture d’une consultation",
        "consultation.closing" => "Fin proche d’une consultation",
        "meeting.scheduled" => "Réunion annoncée",
        "meeting.cancelled" => "Réunion annulée",
        "instruction.started" => "Début de l’examen des avis",
        "synthesis.published" => "Synthèse publiée",
        "opinion.published" => "Réponse motivée publiée",
        "decision.adopted" => "Décision adoptée",
        "implementation.updated" => "Suivi de la mise en œuvre",
        other => other,
    }
    .to_owned()
}

/// A delivery's or a contribution's state, for one.
pub fn state(name: &str) -> String {
    match name {
        "pending" => "en attente",
        "claimed" => "en cours d’envoi",
        "sent" => "envoyé",
        "delivered" => "remis",
        "failed" => "en échec",
        "suppressed" => "écarté",
        "expired" => "trop tard",
        "cancelled" => "annulé",
        "received" => "reçue",
        "amended" => "modifiée",
        "withdrawn" => "retirée",
        other => other,
    }
    .to_owned()
}

pub fn channel(name: &str) -> String {
    match name {
        "email" => "Courriel",
        "sms" => "SMS",
        "telegram" => "Telegram",
        "web" => "Page web",
        other => other,
    }
    .to_owned()
}

pub fn language(tag: &str) -> String {
    match tag {
        "fr" => "français",
        "nl" => "néerlandais",
        "en" => "anglais",
        "ar" => "arabe",
        "pl" => "polonais",
        "pt" => "portugais",
        "es" => "espagnol",
        "it" => "italien",
        "de" => "allemand",
        other => other,
    }
    .to_owned()
}

/// Groups of three with narrow no-break spaces.
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if number < 0 { format!("−{out}") } else { out }
}

/// `23 novembre 2026 à 14 h 05`, in the metropolis' time.
pub fn when(ms: i64) -> String {
    let at = paris::instant(ms).to_zoned(paris::zone());
    format!("{} à {}\u{a0}h\u{a0}{:02}", date(at.date()), at.hour(), at.minute())
}

/// `14:05:09`, for what has just happened.
pub fn clock(ms: i64) -> String {
    let at = paris::instant(ms).to_zoned(paris::zone());
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

fn date(date: Date) -> String {
    const MONTHS: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    let month = usize::try_from(date.month() - 1).ok().and_then(|at| MONTHS.get(at));
    let day = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{day} {} {}", month.unwrap_or(&""), date.year())
}

/// How long something took: `0,8 s`, `42 s`, `3 min 20 s`.
pub fn lasted(ms: i64) -> String {
    match ms {
        ..10_000 => format!("{},{}\u{a0}s", ms.max(0) / 1_000, ms.max(0) % 1_000 / 100),
        10_000..60_000 => format!("{}\u{a0}s", ms / 1_000),
        _ => format!("{}\u{a0}min {}\u{a0}s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// Percent-encoded as one segment of a path, or one value of a query (RFC 3986 unreserved kept).
pub fn path_segment(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_as_people_here_write_them() {
        assert_eq!(thousands(1_204_567), "1\u{202f}204\u{202f}567");
        assert_eq!(thousands(-1_000), "−1\u{202f}000");
        assert_eq!(when(1_795_449_900_000), "23 novembre 2026 à 17\u{a0}h\u{a0}05");
        assert_eq!(lasted(850), "0,8\u{a0}s");
        assert_eq!(lasted(200_000), "3\u{a0}min 20\u{a0}s");
        assert_eq!(path_segment("+33 a/b@c"), "%2B33%20a%2Fb%40c");
    }
}

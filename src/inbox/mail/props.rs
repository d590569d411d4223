//! What holds for every input: nothing panics, nothing is lost, the author keeps the last word, and
//! the work grows with the input and no faster.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Envelope, html, read, split_reply, steps};

/// Lines that mean something to the reader, whole and in pieces, so that chance puts them together
/// in ways that no program would.
const SOUP: &[&str] = &[
    "",
    " ",
    "Bonjour,",
    "oui",
    "Le 3 mars 2026 à 10:12, Awa <awa@exemple.fr> a écrit :",
    "On Tue, Mar 3, 2026 at 10:12 AM Awa <awa@exemple.fr>",
    "wrote:",
    "> wrote:",
    ">",
    "> texte",
    ">> plus loin",
    "-- ",
    "--",
    "____________",
    "-----Message d'origine-----",
    "---------- Forwarded message ----------",
    "De : Awa <awa@exemple.fr>",
    "Envoyé : mardi 3 mars 2026 10:12",
    "À : nous",
    "Objet : parc",
    "Cordialement,",
    "Awa Diallo",
    "PS : encore",
    "Envoyé de mon iPhone",
    "Ce message est confidentiel et destiné à",
    "<",
    "<awa@exemple.fr>:",
    "Am 3.3.26 um 10:12 schrieb Awa:",
    "http://exemple.fr/a(b",
    "suite)",
    "==== ====",
    "##- Répondez au-dessus de cette ligne -##",
    "550 5.1.1 <x@exemple.fr>: User unknown",
    "a écrit :",
    "قال",
    "كتب:",
    "\u{a0}",
    "\r",
    "\u{feff}x",
    "é",
    "@",
    "a@b.c:",
    ":",
];

fn soup() -> impl Strategy<Value = String> {
    vec(select(SOUP), 0..40).prop_map(|lines| lines.join("\n"))
}

fn words() -> impl Strategy<Value = String> {
    // No colon, no quotation mark, nothing that an attribution or a signature begins with.
    vec("[a-zéèàç]{2,9}", 1..9).prop_map(|words| words.join(" ") + " voilà")
}

const INTRODUCTIONS: &[&str] = &[
    "Le mar. 3 mars 2026 à 09:00, Concertation <r+abc@exemple.fr> a écrit :",
    "Le 03/03/2026 à 09:00, Concertation a écrit :",
    "Le mardi 3 mars 2026 à 09:00:12 UTC+1, Concertation <r+abc@exemple.fr>\na écrit :",
    "On Tue, Mar 3, 2026 at 9:00 AM Concertation <\nr+abc@exemple.fr> wrote:",
    "Op di 3 mrt 2026 om 09:00 schreef Concertation <r+abc@exemple.fr>:",
    "Am 03.03.26 um 09:00 schrieb Concertation:",
    "El mar, 3 mar 2026 a las 9:00, Concertation (<r+abc@exemple.fr>) escribió:",
    "Il giorno mar 3 mar 2026 alle ore 09:00 Concertation <r+abc@exemple.fr> ha scritto:",
    "W dniu 3.03.2026 o 09:00, Concertation pisze:",
    "-----Message d'origine-----\nDe : Concertation <r+abc@exemple.fr>\nEnvoyé : mardi 3 mars 2026 09:00\nÀ : Awa\nObjet : parc",
    "De : Concertation <r+abc@exemple.fr>\nEnvoyé : mardi 3 mars 2026 09:00\nÀ : Awa <awa@exemple.fr>\nObjet : parc",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_it_panic(raw in vec(any::<u8>(), 0..600)) {
        let _ = read(&raw, &Envelope::default());
    }

    #[test]
    fn no_body_makes_it_panic(kind in select(vec!["text/plain", "text/html", "text/plain; format=flowed; delsp=yes", "multipart/mixed; boundary=a", "message/rfc822", "multipart/report; report-type=delivery-status; boundary=a"]), encoding in select(vec!["8bit", "base64", "quoted-printable"]), body in vec(any::<u8>(), 0..400), soup in soup()) {
        let mut raw = format!("From: MAILER-DAEMON@exemple.fr\nSubject: failure\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{soup}\n--a\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; x@exemple.fr\nAction: failed\n{soup}\n").into_bytes();
        raw.extend(body);
        let _ = read(&raw, &Envelope { from: Some(String::new()), to: Some(soup) });
    }

    #[test]
    fn no_markup_makes_it_panic(parts in vec(select(vec!["<", ">", "<a href=\"", "\"", "<blockquote>", "</blockquote>", "<div style='display:none'>", "</div>", "<!--", "-->", "<style>", "</style>", "<pre>", "&#", "&eacute", ";", "é", "<br>", "<p>", "</p>", "</", "<div class=gmail_signature>", "x", "\n", "="]), 0..60)) {
        let _ = html::to_lines(&parts.concat());
    }

    /// Whatever the lines are, each of them is in the text or among what was taken off.
    #[test]
    fn nothing_is_lost(body in soup()) {
        let split = split_reply(&body);
        let kept = format!("{}\n{}", split.text, split.quoted);
        let left: Vec<&str> = kept.split_whitespace().collect();
        for word in body.split_whitespace() {
            prop_assert!(left.contains(&word), "{word:?} of {body:?} is in neither part of {split:?}");
        }
        prop_assert_eq!(body.split_whitespace().count(), left.len());
    }

    /// An answer above a quotation comes out whole, to its last line.
    #[test]
    fn the_author_keeps_the_last_line(lines in vec(words(), 1..8), introduction in select(INTRODUCTIONS), quoted in vec(words(), 1..6), marked in any::<bool>(), spaced in any::<bool>()) {
        let answer = lines.join("\n");
        let mark = if marked { "> " } else { "" };
        let quotation: String = quoted.iter().map(|line| format!("{mark}{line}\n")).collect();
        let gap = if spaced { "\n\n" } else { "\n" };
        let split = split_reply(&format!("{answer}{gap}{introduction}\n\n{quotation}"));
        prop_assert_eq!(&split.text, &answer);
        for line in &quoted {
            prop_assert!(split.quoted.contains(line.as_str()));
        }
    }

    /// An answer below a quotation, too.
    #[test]
    fn the_author_may_write_below(lines in vec(words(), 1..8), quoted in vec(words(), 1..6)) {
        let answer = lines.join("\n");
        let quotation: String = quoted.iter().map(|line| format!("> {line}\n")).collect();
        let split = split_reply(&format!("Le 03/03/2026 à 09:00, Concertation a écrit :\n{quotation}\n{answer}\n"));
        prop_assert_eq!(&split.text, &answer);
    }

    /// The splitter's own text splits into itself where nothing was quoted in it.
    #[test]
    fn plain_words_stay(lines in vec(words(), 1..12)) {
        let text = lines.join("\n");
        let split = split_reply(&text);
        prop_assert_eq!((split.text, split.quoted), (text, String::new()));
    }
}

/// A mail of a given size.
type Input = Box<dyn Fn(usize) -> Vec<u8>>;

/// Twice the input, twice the work: counted in bytes looked at, not in seconds.
#[test]
fn the_work_is_linear_in_the_input() {
    let plain = |body: String| format!("From: a@exemple.fr\nSubject: x\n\n{body}").into_bytes();
    let html = |body: String| {
        format!("From: a@exemple.fr\nContent-Type: text/html\n\n{body}").into_bytes()
    };
    let report = |body: String| {
        format!("From: MAILER-DAEMON@exemple.fr\nSubject: failure notice\nContent-Type: multipart/report; boundary=a\n\n--a\nContent-Type: message/delivery-status\n\n{body}").into_bytes()
    };
    let mut inputs: Vec<(String, Input)> = Vec::new();
    for line in SOUP {
        for (name, separator) in [("lines", "\n"), ("paragraphs", "\n\n"), ("one line", " ")] {
            inputs.push((
                format!("{name} of {line:?}"),
                Box::new(move |n| plain(format!("{line}{separator}").repeat(n))),
            ));
        }
    }
    for part in [
        "<",
        "<a href=\"",
        "<a x=\">",
        "<blockquote>x",
        "<div class=gmail_signature>x",
        "<style></",
        "<!--",
        "&",
        "<pre>x\n",
        "<p>",
        "<td>",
    ] {
        inputs.push((format!("html of {part:?}"), Box::new(move |n| html(part.repeat(n)))));
    }
    inputs.push(("report".to_owned(), Box::new(move |n| {
        report((0..n).map(|at| format!("Final-Recipient: rfc822; a{at}@exemple.fr\nAction: failed\nStatus: 5.1.1\n\n")).collect())
    })));
    for (name, input) in inputs {
        let steps = |n| {
            let raw = input(n);
            (
                steps::of(|| {
                    let _ = read(&raw, &Envelope::default());
                }),
                raw.len(),
            )
        };
        let ((small, small_len), (large, large_len)) = (steps(250), steps(1_000));
        // The glance at a long line ends somewhere, so less than fourfold is as good.
        let growth = large as f64 / small as f64;
        let size = large_len as f64 / small_len as f64;
        assert!(
            growth <= size * 1.1,
            "{name}: {small} steps became {large}, the input grew {size:.1} times"
        );
        assert!(large <= 40 * large_len + 100_000, "{name}: {large} steps for {large_len} bytes");
    }
}

//! One example of everything, for `check`, the tests and the demo.

use include_dir::{Dir, include_dir};
use jiff::civil::date;

use super::{Notice, RenderError};
use crate::model::event::{Event, EventKind};

static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/samples");

/// A CloudEvent of that kind in structured JSON, as a publisher would write it.
#[must_use]
pub fn json(kind: EventKind) -> &'static str {
    SAMPLES
        .get_file(format!("{}.json", kind.name()))
        .and_then(include_dir::File::contents_utf8)
        .unwrap_or_default()
}

/// The sample event of a kind.
///
/// # Errors
/// Where the included file is no such event: a fault of the program, which a test excludes.
pub fn event(kind: EventKind) -> Result<Event, RenderError> {
    serde_json::from_str(json(kind)).map_err(|source| RenderError::Sample { kind, source })
}

/// One notice of each kind.
#[must_use]
pub fn notices() -> Vec<Notice> {
    let number = || "2026-0042".to_owned();
    let received_on = date(2026, 11, 24);
    let excerpt = Some("Je voudrais plus de bancs à l’ombre, et un point d’eau.".to_owned());
    let answer = Some("Des arbres et de l’ombre".to_owned());
    vec![
        Notice::Receipt {
            number: number(),
            received_on,
            excerpt: excerpt.clone(),
            answer: answer.clone(),
        },
        Notice::Amended { number: number(), received_on, excerpt, answer },
        Notice::Withdrawn { number: number(), received_on },
        Notice::Stopped,
        Notice::Restarted,
        Notice::Help,
        Notice::Welcome,
        Notice::Choices {
            items: vec![
                ("1".to_owned(), "Un parc au sud de Lille".to_owned()),
                ("2".to_owned(), "La ligne de tramway à Tourcoing".to_owned()),
            ],
        },
        Notice::Held { received_on },
        Notice::Confirm { link: "https://participation.example/confirmer/abc".to_owned() },
    ]
}

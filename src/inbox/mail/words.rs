//! The phrases by which mail programs mark what they quote, in the languages they speak; the rules
//! stand where the phrases are used.

use super::phrases::Table;

const FILE: &str = include_str!("phrases/quoting.txt");

/// Words that a mail program puts first in the line before a quotation.
pub(super) static OPENERS: Table = Table::new(FILE, "openers");

/// Verbs that stand at the end of such a line.
pub(super) static WROTE: Table = Table::new(FILE, "wrote");

/// What stands right before the verb when a person tells a story instead of a program quoting.
pub(super) static TELLERS: Table = Table::new(FILE, "tellers");

/// A label of the header block by which Outlook and its kin introduce what they quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    From,
    Date,
    To,
    Copy,
    Subject,
    Other,
}

pub(super) static LABELS: [(Label, Table); 6] = [
    (Label::From, Table::new(FILE, "label_from")),
    (Label::Date, Table::new(FILE, "label_date")),
    (Label::To, Table::new(FILE, "label_to")),
    (Label::Copy, Table::new(FILE, "label_copy")),
    (Label::Subject, Table::new(FILE, "label_subject")),
    (Label::Other, Table::new(FILE, "label_other")),
];

/// A line of dashes with one of these in it begins the original message.
pub(super) static ORIGINAL: Table = Table::new(FILE, "original");

/// A line of dashes with one of these in it, or one of these and a colon, begins what the author
/// passes on: it belongs to what they wanted to say.
pub(super) static FORWARDED: Table = Table::new(FILE, "forwarded");

/// A program that asks people to answer above a line.
pub(super) static ABOVE: Table = Table::new(FILE, "above");

/// First words of the line by which a telephone or an application signs.
pub(super) static SENT_FROM: Table = Table::new(FILE, "sent_from");

/// A closing formula that has a line of its own above a signature.
pub(super) static CLOSINGS: Table = Table::new(FILE, "closings");

/// Names of days and months, whole or as programs shorten them, in the languages read here.
pub(super) static DAYS_MONTHS: Table = Table::new(FILE, "days_months");

/// First words of a legal notice that a server puts under a mail.
pub(super) static NOTICE: Table = Table::new(FILE, "notice");

/// What a legal notice goes on to say.
pub(super) static NOTICE_MARKS: Table = Table::new(FILE, "notice_marks");

/// The advertising of an anti-virus.
pub(super) static VIRUS: Table = Table::new(FILE, "virus");

/// Please do not print.
pub(super) static TREES: Table = Table::new(FILE, "trees");

/// What a line by which a telephone or an application signs is about.
pub(super) static DEVICES: Table = Table::new(FILE, "devices");

/// An author who says that the answers stand in the quotation.
pub(super) static MY_ANSWERS: Table = Table::new(FILE, "my_answers");

/// Where in the quotation they stand.
pub(super) static IN_THE_QUOTATION: Table = Table::new(FILE, "in_the_quotation");

/// Articles and possessives, in lower case as in the middle of a sentence.
pub(super) static ARTICLES: Table = Table::new(FILE, "articles");

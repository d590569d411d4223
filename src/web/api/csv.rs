//! Contributions as CSV (RFC 4180), safe to open in a spreadsheet.

use crate::store::ContributionRow;

pub(super) const COLUMNS: [&str; 12] = [
    "contribution_id",
    "number",
    "consultation_id",
    "author",
    "channel",
    "language",
    "text",
    "answer",
    "in_reply_to",
    "state",
    "received_at",
    "updated_at",
];

/// The header row.
pub(super) fn header() -> Vec<u8> {
    rows(std::iter::once(COLUMNS.map(str::to_owned)))
}

pub(super) fn row(row: &ContributionRow, in_reply_to: Option<&str>) -> [String; COLUMNS.len()] {
    let instant = |ms| crate::model::paris::instant(ms).to_string();
    [
        row.id.clone(),
        row.number.clone(),
        row.consultation.clone(),
        row.author.clone(),
        row.channel.clone(),
        row.language.clone(),
        row.text.clone(),
        row.answer.clone().unwrap_or_default(),
        in_reply_to.unwrap_or_default().to_owned(),
        row.state.clone(),
        instant(row.received_at),
        instant(row.updated_at),
    ]
}

pub(super) fn rows(rows: impl Iterator<Item = [String; COLUMNS.len()]>) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        // writing to memory does not fail
        let _ = writer.write_record(row.iter().map(|cell| inert(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV
/// injection).
fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_words_and_rows_stay_rows() {
        let mut cells = COLUMNS.map(str::to_owned);
        cells[6] = "=HYPERLINK(\"http://x\")\nsuite; \"citée\"".to_owned();
        cells[7] = "-1".to_owned();
        let text = String::from_utf8(rows(std::iter::once(cells))).unwrap();
        assert!(text.contains("\"'=HYPERLINK(\"\"http://x\"\")\nsuite; \"\"citée\"\"\""));
        assert!(text.contains(",'-1,"));
        assert!(text.ends_with("\r\n"));
        assert_eq!(
            csv::Reader::from_reader(text.as_bytes()).headers().unwrap().len(),
            COLUMNS.len()
        );
    }
}

//! Subscribers' CSV with everything that can be wrong with it: told by line and column, the good
//! rows kept.

use std::process::Output;

use crate::{
    harness::{daemon::Daemon, smtp_server::SmtpServer},
    town::{self, completed, opened, publish},
};

const HEADER: &str = "external_id,email,phone,first_name,commune,consent_at,consent_source";

fn daemon() -> Daemon {
    Daemon::prepare(&town::settings("smtp://127.0.0.1:9", "sqlite", ""), &[])
}

async fn import(daemon: &Daemon, csv: impl AsRef<[u8]>) -> (Option<i32>, String, String) {
    std::fs::write(daemon.folder().join("in.csv"), csv).unwrap();
    said(&daemon.run(&["subscribers", "import", "in.csv"]).await)
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Rows of the export, without its header.
async fn exported(daemon: &Daemon) -> Vec<String> {
    let csv = daemon.must(&["subscribers", "export"]).await;
    csv.lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test]
async fn bad_rows_are_told_by_line_and_column_and_good_rows_are_kept() {
    let daemon = daemon();
    let rows = [
        "1,ada@example.net,,Ada,59350,2026-01-02T10:00:00Z,mairie",
        "2,not an address,,,59350,2026-01-02T10:00:00Z,mairie",
        "3,eve@example.net,,Eve,75056,2026-01-02T10:00:00Z,mairie",
        "4,eve@example.net,Eve",
        "5,eve@example.net,,Eve,59350,,mairie",
        "6,eve@example.net,,\"Eve\nEve\",59350,2026-01-02T10:00:00Z,mairie",
        "7,eve@example.net,12,Eve,59350,2026-01-02T10:00:00Z,",
        "8,,,Nobody,59350,2026-01-02T10:00:00Z,mairie",
        "9,bob@example.net,,Bob,59350,2026-01-02T10:00:00Z,mairie",
    ];
    let (code, out, errors) = import(&daemon, format!("{HEADER}\n{}\n", rows.join("\n"))).await;
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(out.contains("2 new, 0 updated, 7 bad row(s)"), "{out}");
    let places = [
        "in.csv:3:2: email: ",
        "in.csv:4:5: commune: ",
        "in.csv:5: has 3 fields, the header 7",
        "in.csv:6:6: consent_at: ",
        "in.csv:7:4: first_name: ",
        // the row before it has two lines
        "in.csv:9:3: phone: ",
        "in.csv:9:7: consent_source: ",
        "in.csv:10",
    ];
    for place in places {
        assert!(errors.contains(place), "`{place}` is not in\n{errors}");
    }
    let kept = exported(&daemon).await;
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[0].contains("ada@example.net") && kept[1].contains("bob@example.net"));
}

#[tokio::test]
async fn a_file_that_is_something_else_is_refused_whole() {
    let daemon = daemon();
    let utf16: Vec<u8> =
        format!("\u{feff}{HEADER}\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: [(&[u8], &str); 4] = [
        (b"external_id,mail,consent_at,consent_source\n1,a@b.example,x,y\n", "in.csv:1:2: `mail`"),
        (b"external_id,email\n1,ada@example.net\n", "the column consent_at is missing"),
        (b"", "the column consent_at is missing"),
        (&utf16, "in.csv as UTF-8"),
    ];
    for (file, wrong) in files {
        let (code, out, errors) = import(&daemon, file).await;
        assert_eq!(code, Some(2), "{out}{errors}");
        assert!(errors.contains(wrong), "`{wrong}` is not in {errors}");
        assert_eq!(errors.lines().count(), 1, "one sentence: {errors}");
    }
    assert!(exported(&daemon).await.is_empty());
}

#[tokio::test]
async fn semicolons_a_byte_order_mark_and_one_row_of_another_encoding() {
    let daemon = daemon();
    let header = HEADER.replace(',', ";");
    let mut file = format!("\u{feff}{header}\r\n").into_bytes();
    file.extend("1;ada@example.net;0612345678;Zoé;59350;2026-01-02T10:00:00Z;mairie\r\n".bytes());
    file.extend(b"2;eve@example.net;;Andr\xe9;59350;2026-01-02T10:00:00Z;mairie\r\n");
    let (code, out, errors) = import(&daemon, file).await;
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(errors.contains("in.csv:3:4: first_name: is not UTF-8"), "{errors}");
    let kept = exported(&daemon).await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].starts_with("1,ada@example.net,+33612345678,,Zoé,59350,"), "{kept:?}");
}

#[tokio::test]
async fn an_address_is_one_persons() {
    let daemon = daemon();
    let row = |id: &str, email: &str, name: &str| {
        format!("{id},{email},,{name},59350,2026-01-02T10:00:00Z,mairie\n")
    };
    let file = [
        format!("{HEADER}\n"),
        row("1", "ada@example.net", "Ada"),
        row("1", "ada@example.net", "Ada Byron"),
        row("2", "ADA@example.net", "Someone else"),
        row("2", "bob@example.net", "Bob"),
    ];
    let (code, out, errors) = import(&daemon, file.concat()).await;
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(out.contains("2 new, 1 updated, 1 bad row(s)"), "{out}");
    assert!(errors.contains("in.csv:4: the email address belongs to another"), "{errors}");
    let kept = exported(&daemon).await;
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[0].contains("Ada Byron"), "the last word counts: {kept:?}");
}

#[tokio::test]
async fn what_is_exported_can_be_imported_elsewhere() {
    let first = daemon();
    let header = "external_id,email,phone,telegram,first_name,commune,language,register,channels,\
                  themes,groups,frequency,age_band,consent_at,consent_source";
    let rows = [
        "a1,ada@example.net,+33612345678,,\"Ada, dite \"\"A\"\"\",59350,fr,plain,sms|email,\
         climat|nature,youth,immediate,adult,2026-01-02T10:00:00Z,mairie",
        ",bob@example.net,,,,59512,nl,standard,email,,,weekly,15-25,2026-01-03T10:00:00Z,site",
    ];
    let csv = format!("{header}\n{}\n", rows.join("\n"));
    let (code, _, errors) = import(&first, &csv).await;
    assert_eq!(code, Some(0), "{errors}");
    let export = first.must(&["subscribers", "export"]).await;
    assert_eq!(export, csv);

    let second = daemon();
    let (code, _, errors) = import(&second, &export).await;
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(second.must(&["subscribers", "export"]).await, export);
}

#[tokio::test]
async fn an_objection_outlives_the_person_and_an_older_consent() {
    let server = SmtpServer::start().await;
    let mut daemon = Daemon::prepare(&town::settings(&server.url(), "sqlite", ""), &[]);
    let row = |consent: &str| {
        format!(
            "{HEADER}\n1,ada@example.net,,Ada,59350,{consent},mairie\n2,bob@example.net,,,59350,{consent},mairie\n"
        )
    };
    let old = "2026-01-02T10:00:00Z";
    assert_eq!(import(&daemon, row(old)).await.0, Some(0));
    assert_eq!(said(&daemon.run(&["subscribers", "erase", "nobody"]).await).0, Some(1));
    daemon.must(&["subscribers", "erase", "1"]).await;
    assert!(!daemon.must(&["subscribers", "export"]).await.contains("ada@"));

    let (code, out, errors) = import(&daemon, row(old)).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.contains("1 channel(s) stay closed"), "{out}");
    daemon.spawn();
    daemon.ready().await;
    publish(&daemon, &opened("parc")).await;
    completed(&daemon, "parc", 1).await;
    assert_eq!(server.mails()[0].to, ["bob@example.net"]);

    // what the person has said since counts
    let fresh = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    assert_eq!(import(&daemon, row(&fresh.to_string())).await.0, Some(0));
    publish(&daemon, &opened("place")).await;
    completed(&daemon, "place", 2).await;
    assert_eq!(server.count(), 3);
}

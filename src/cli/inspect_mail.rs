//! `inspect mail PATH…`: what the gateway makes of mails, without doing anything.
//!
//! A path is a file, a folder (read with all that is in it), a mailbox in mbox form, or `-` for
//! standard input. Mails are read one at a time and printed as they come, so that a folder of any
//! size takes the memory of its largest mail.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::inbox::mail::{self, Class, Envelope, MailRead};

/// The largest mail that is read, in bytes; more than any server takes.
const MAX_MAIL: u64 = 64 * 1024 * 1024;

/// Reads every mail under the paths and writes what it is: a JSON object a line, or a few lines
/// for people. True where every one could be read.
///
/// # Errors
/// Where the output can't be written. A path that can't be read is reported in its place and does
/// not stop the others.
pub fn run(paths: &[PathBuf], json: bool, out: &mut impl Write) -> Result<bool> {
    let mut printer = Printer { out, json, all_read: true };
    for path in paths {
        if path.as_os_str() == "-" {
            stream("-", &mut BufReader::new(io::stdin().lock()), &mut printer)?;
        } else {
            walk(path, &mut printer)?;
        }
    }
    printer.out.flush().context("write the result")?;
    Ok(printer.all_read)
}

/// A file, or everything in a folder in the order of names.
fn walk(path: &Path, printer: &mut Printer<'_, impl Write>) -> Result<()> {
    let name = path.display().to_string();
    if !path.is_dir() {
        return match File::open(path) {
            Ok(file) => stream(&name, &mut BufReader::with_capacity(64 * 1024, file), printer),
            Err(error) => printer.failed(&name, &error),
        };
    }
    let mut entries: Vec<PathBuf> = match fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
    {
        Ok(entries) => entries,
        Err(error) => return printer.failed(&name, &error),
    };
    entries.sort();
    for entry in entries {
        // A link to a folder could lead back to where it stands.
        let linked_folder = entry.is_symlink() && entry.is_dir();
        if !linked_folder {
            walk(&entry, printer)?;
        }
    }
    Ok(())
}

/// One mail, or the mails of an mbox.
fn stream(
    name: &str,
    source: &mut impl BufRead,
    printer: &mut Printer<'_, impl Write>,
) -> Result<()> {
    let head = match source.fill_buf() {
        Ok(head) => head,
        Err(error) => return printer.failed(name, &error),
    };
    if head.starts_with(b"From ") {
        return mailbox(name, source, printer);
    }
    let mut raw = Vec::new();
    match source.take(MAX_MAIL + 1).read_to_end(&mut raw) {
        Ok(_) => printer.mail(name, &raw),
        Err(error) => printer.failed(name, &error),
    }
}

/// Mails set apart by `From ` lines after a blank line, as every mbox dialect has them.
fn mailbox(
    name: &str,
    source: &mut impl BufRead,
    printer: &mut Printer<'_, impl Write>,
) -> Result<()> {
    let mut raw = Vec::new();
    let mut line = Vec::new();
    let mut number = 0_usize;
    let mut after_blank = true;
    loop {
        line.clear();
        match source.by_ref().take(MAX_MAIL).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return printer.failed(name, &error),
        }
        if after_blank && line.starts_with(b"From ") && separates(&line) {
            if number > 0 {
                printer.mail(&format!("{name}#{number}"), &raw)?;
            }
            number += 1;
            raw.clear();
        } else if (raw.len() as u64) <= MAX_MAIL {
            let quoted = line.iter().take_while(|b| **b == b'>').count();
            let escaped = quoted > 0 && line[quoted..].starts_with(b"From ");
            raw.extend_from_slice(&line[usize::from(escaped)..]);
        }
        after_blank = matches!(line.as_slice(), b"\n" | b"\r\n");
    }
    printer.mail(&format!("{name}#{number}"), &raw)
}

/// `From sender Tue Mar 3 10:12:00 2026`: a year and an hour, so that a sentence is no separator.
fn separates(line: &[u8]) -> bool {
    let digits = line.iter().filter(|b| b.is_ascii_digit()).count();
    digits >= 4 && (line.contains(&b':') || line.contains(&b'@'))
}

struct Printer<'o, W> {
    out: &'o mut W,
    json: bool,
    all_read: bool,
}

#[derive(Serialize)]
struct Inspected<'m> {
    file: &'m str,
    #[serde(flatten)]
    mail: &'m MailRead,
}

impl<W: Write> Printer<'_, W> {
    fn mail(&mut self, file: &str, raw: &[u8]) -> Result<()> {
        if raw.len() as u64 > MAX_MAIL {
            return self.failed(
                file,
                &io::Error::other(format!("larger than {} MB", MAX_MAIL / 1024 / 1024)),
            );
        }
        self.print(file, &mail::read(raw, &Envelope::default()))
    }

    fn failed(&mut self, file: &str, error: &io::Error) -> Result<()> {
        self.print(
            file,
            &MailRead { reason: format!("failed to read it: {error}"), ..MailRead::default() },
        )
    }

    fn print(&mut self, file: &str, mail: &MailRead) -> Result<()> {
        self.all_read &= mail.class != Class::Unreadable;
        if self.json {
            serde_json::to_writer(&mut *self.out, &Inspected { file, mail })
                .context("write a mail as json")?;
            return writeln!(self.out).context("write a mail as json");
        }
        self.for_people(file, mail).context("write a mail")
    }

    fn for_people(&mut self, file: &str, mail: &MailRead) -> io::Result<()> {
        let class = serde_json::to_value(mail.class).ok();
        let class = class.as_ref().and_then(|class| class.as_str()).unwrap_or_default();
        writeln!(self.out, "{file}: {class} ({})", mail.reason)?;
        for (label, value) in [
            ("from", &mail.from),
            ("message id", &mail.message_id),
            ("in reply to", &mail.in_reply_to),
        ] {
            if let Some(value) = value {
                writeln!(self.out, "  {label}: {value}")?;
            }
        }
        if let Some(token) = &mail.token {
            writeln!(self.out, "  token: {}", token.value)?;
        }
        if let Some(language) = mail.language {
            writeln!(self.out, "  language: {language}")?;
        }
        for bounce in &mail.bounces {
            let suppress = if bounce.suppress { ", do not write again" } else { "" };
            writeln!(
                self.out,
                "  recipient: {} {:?} {}{suppress}",
                bounce.recipient, bounce.action, bounce.status
            )?;
        }
        for attachment in &mail.attachments {
            let name = attachment.name.as_deref().unwrap_or("without a name");
            writeln!(
                self.out,
                "  attachment: {name}, {}, {} bytes",
                attachment.media_type, attachment.bytes
            )?;
        }
        for (label, text) in [("text", &mail.text), ("taken off", &mail.quoted)] {
            if !text.is_empty() {
                writeln!(self.out, "  {label}:")?;
                for line in text.lines() {
                    writeln!(self.out, "    {line}")?;
                }
            }
        }
        writeln!(self.out)
    }
}

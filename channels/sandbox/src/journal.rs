//! The letters' file: one JSON object a line, appended. Memory holds only where each one lies.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::letter::Letter;

/// Where a letter lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    offset: u64,
    bytes: u64,
}

pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    end: u64,
    dead: u64,
}

/// Less waste than this is not worth a rewrite.
const WASTE_WORTH_A_REWRITE: u64 = 16 << 20;

/// Places are counted here, so nobody else may write to the file.
fn open_alone(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    file.try_lock()?;
    Ok(file)
}

impl Journal {
    /// Opens or makes the file and hands every readable letter to `keep`. A line cut by a kill is
    /// passed over.
    pub(crate) fn open(path: &Path, mut keep: impl FnMut(Letter, Place)) -> io::Result<Self> {
        let file = open_alone(path)?;
        let mut reader = BufReader::new(&file);
        let (mut end, mut dead) = (0, 0);
        let mut line = Vec::new();
        let mut whole = true;
        loop {
            line.clear();
            let bytes = reader.read_until(b'\n', &mut line)? as u64;
            if bytes == 0 {
                break;
            }
            whole = line.last() == Some(&b'\n');
            match serde_json::from_slice(&line) {
                Ok(letter) if whole => keep(letter, Place { offset: end, bytes }),
                _ => dead += bytes,
            }
            end += bytes;
        }
        let mut journal = Self { path: path.to_owned(), file, end, dead };
        if !whole {
            journal.file.write_all(b"\n")?;
            journal.end += 1;
        }
        Ok(journal)
    }

    pub(crate) fn append(&mut self, letter: &Letter) -> io::Result<Place> {
        let mut line = serde_json::to_vec(letter)?;
        line.push(b'\n');
        // A failed write may leave half a line; the next letter starts on a fresh one.
        if let Err(error) = self.file.write_all(&line) {
            self.end = self.file.seek(SeekFrom::End(0))?;
            if self.file.write_all(b"\n").is_ok() {
                self.end += 1;
            }
            return Err(error);
        }
        let place = Place { offset: self.end, bytes: line.len() as u64 };
        self.end += place.bytes;
        Ok(place)
    }

    pub(crate) fn read(&mut self, place: Place) -> io::Result<Letter> {
        Ok(serde_json::from_slice(&self.line(place)?)?)
    }

    fn line(&mut self, place: Place) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(place.offset))?;
        let mut line = Vec::new();
        (&self.file).take(place.bytes).read_to_end(&mut line)?;
        Ok(line)
    }

    /// The letter at `place` is no longer shown.
    pub(crate) fn forget(&mut self, place: Place) {
        self.dead += place.bytes;
    }

    pub(crate) fn wasteful(&self) -> bool {
        self.dead > WASTE_WORTH_A_REWRITE && self.dead > self.end / 2
    }

    /// Rewrites the file with these letters alone, in this order, and puts their new places in.
    pub(crate) fn rewrite(&mut self, kept: &mut [&mut Place]) -> io::Result<()> {
        let fresh = self.path.with_extension("jsonl.new");
        let mut out = BufWriter::new(File::create(&fresh)?);
        let mut places = Vec::with_capacity(kept.len());
        let mut end = 0;
        for place in kept.iter() {
            let line = self.line(**place)?;
            out.write_all(&line)?;
            places.push(Place { offset: end, bytes: line.len() as u64 });
            end += line.len() as u64;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = open_alone(&self.path)?;
        self.end = end;
        self.dead = 0;
        for (old, new) in kept.iter_mut().zip(places) {
            **old = new;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::Direction;

    fn letter(seq: u64) -> Letter {
        Letter {
            seq,
            id: format!("d{seq}"),
            channel: "sms".to_owned(),
            address: "+33612345678".to_owned(),
            at_ms: 0,
            direction: Direction::In,
            title: "Été".repeat(usize::try_from(seq).unwrap()),
            token: None,
            reference: String::new(),
            content: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_rewrite_keeps_what_is_shown_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letters.jsonl");
        let mut journal = Journal::open(&path, |_, _| {}).unwrap();
        let mut places: Vec<Place> =
            (1..=4).map(|seq| journal.append(&letter(seq)).unwrap()).collect();
        journal.forget(places.remove(0));
        let mut kept: Vec<&mut Place> = places.iter_mut().collect();
        journal.rewrite(&mut kept).unwrap();
        places.push(journal.append(&letter(5)).unwrap());
        let read: Vec<Letter> = places.iter().map(|place| journal.read(*place).unwrap()).collect();
        assert_eq!(read, [letter(2), letter(3), letter(4), letter(5)]);
        drop(journal);
        let mut found = Vec::new();
        Journal::open(&path, |letter, place| found.push((letter, place))).unwrap();
        assert_eq!(found, read.into_iter().zip(places).collect::<Vec<_>>());
    }
}

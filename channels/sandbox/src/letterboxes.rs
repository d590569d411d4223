use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::broadcast;

use crate::{
    journal::{Journal, Place},
    letter::{Direction, Letter, News},
    weather::{Trouble, Weather, trouble_of_address},
};

/// Letters kept for one address on one channel; the oldest go first.
pub const LETTERS_AN_ADDRESS: usize = 200;
/// Letters kept in all; the oldest go first.
pub const LETTERS_IN_ALL: usize = 100_000;

/// News kept for a viewer that falls behind; it then reloads.
const NEWS_KEPT: usize = 1_024;

#[derive(Debug, thiserror::Error)]
#[error("open the sandbox's letters at {path}: {source}")]
pub struct OpenError {
    path: String,
    source: io::Error,
}

pub(crate) struct Posted<'a> {
    pub channel: &'a str,
    pub address: &'a str,
    pub id: &'a str,
    pub at_ms: i64,
    pub title: &'a str,
    pub token: &'a str,
    pub content: &'a Value,
}

type BoxKey = (String, String);

struct Entry {
    seq: u64,
    id: String,
    place: Place,
}

struct Shelf {
    journal: Journal,
    boxes: BTreeMap<BoxKey, VecDeque<Entry>>,
    /// Every letter kept, oldest first.
    order: BTreeMap<u64, BoxKey>,
    /// (channel, id) → reference: a retry is not shown twice.
    references: HashMap<(String, String), String>,
    next_seq: u64,
}

/// What made-up people received and sent, over restarts. Memory holds an index; the letters are
/// on disk.
pub struct Letterboxes {
    shelf: Mutex<Shelf>,
    weather: Mutex<HashMap<String, (Weather, u64)>>,
    news: broadcast::Sender<News>,
}

impl Letterboxes {
    /// Opens `folder`, made where missing, with the letters of earlier runs.
    ///
    /// # Errors
    /// Where the folder or its file can't be made or read, or another process has it open.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let fault = |source| OpenError { path: folder.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(fault)?;
        let mut found = Vec::new();
        let journal = Journal::open(&folder.join("letters.jsonl"), |letter, place| {
            found.push((
                BoxKey::from((letter.channel, letter.address)),
                letter.seq,
                letter.id,
                letter.reference,
                place,
            ));
        })
        .map_err(fault)?;
        let mut shelf = Shelf {
            journal,
            boxes: BTreeMap::new(),
            order: BTreeMap::new(),
            references: HashMap::new(),
            next_seq: 1,
        };
        for (key, seq, id, reference, place) in found {
            shelf.put(&key, Entry { seq, id, place }, reference);
        }
        shelf.tidy().map_err(fault)?;
        Ok(Self {
            shelf: Mutex::new(shelf),
            weather: Mutex::default(),
            news: broadcast::channel(NEWS_KEPT).0,
        })
    }

    /// How this channel's provider behaves from now on.
    pub fn set_weather(&self, channel: &str, weather: Weather) {
        lock(&self.weather).insert(channel.to_owned(), (weather, 0));
    }

    /// Told of every new letter. A receiver that lags is told so and reloads what it shows.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Addresses that hold letters on this channel, in order, with how many.
    #[must_use]
    pub fn addresses(&self, channel: &str) -> Vec<(String, usize)> {
        let shelf = lock(&self.shelf);
        shelf
            .boxes
            .range((channel.to_owned(), String::new())..)
            .take_while(|((of, _), _)| of == channel)
            .map(|((_, address), letters)| (address.clone(), letters.len()))
            .collect()
    }

    /// The letters of one address, oldest first.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn letters(&self, channel: &str, address: &str) -> io::Result<Vec<Letter>> {
        let mut shelf = lock(&self.shelf);
        let places: Vec<Place> = shelf
            .boxes
            .get(&(channel.to_owned(), address.to_owned()))
            .map(|entries| entries.iter().map(|entry| entry.place).collect())
            .unwrap_or_default();
        places.into_iter().map(|place| shelf.journal.read(place)).collect()
    }

    /// One letter by its id.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn letter(&self, channel: &str, address: &str, id: &str) -> io::Result<Option<Letter>> {
        let mut shelf = lock(&self.shelf);
        let place = shelf
            .boxes
            .get(&(channel.to_owned(), address.to_owned()))
            .and_then(|entries| entries.iter().rev().find(|entry| entry.id == id))
            .map(|entry| entry.place);
        place.map(|place| shelf.journal.read(place)).transpose()
    }

    /// Latency and trouble of the next attempt.
    pub(crate) fn attempt(&self, channel: &str, address: &str) -> (Duration, Option<Trouble>) {
        let always = trouble_of_address(address);
        let mut weather = lock(&self.weather);
        let Some((weather, attempts)) = weather.get_mut(channel) else {
            return (Duration::ZERO, always);
        };
        *attempts += 1;
        let turn = weather
            .every
            .filter(|(every, _)| *every > 0 && attempts.is_multiple_of(*every))
            .map(|(_, trouble)| trouble);
        (weather.latency, always.or(turn))
    }

    /// Keeps what was sent to a citizen, once by id, and gives its reference.
    pub(crate) fn post(&self, posted: &Posted<'_>) -> io::Result<String> {
        let mut shelf = lock(&self.shelf);
        let known = (posted.channel.to_owned(), posted.id.to_owned());
        if let Some(reference) = shelf.references.get(&known) {
            return Ok(reference.clone());
        }
        let seq = shelf.next_seq;
        let reference = reference_of(posted, seq);
        let letter = Letter {
            seq,
            id: posted.id.to_owned(),
            channel: posted.channel.to_owned(),
            address: posted.address.to_owned(),
            at_ms: posted.at_ms,
            direction: Direction::In,
            title: posted.title.to_owned(),
            token: Some(posted.token.to_owned()),
            reference: reference.clone(),
            content: posted.content.clone(),
        };
        self.keep(&mut shelf, &letter)?;
        Ok(reference)
    }

    /// Keeps what a citizen sent; `make` is given the letter's number.
    pub(crate) fn keep_sent(&self, make: impl FnOnce(u64) -> Letter) -> io::Result<Letter> {
        let mut shelf = lock(&self.shelf);
        let letter = make(shelf.next_seq);
        self.keep(&mut shelf, &letter)?;
        Ok(letter)
    }

    fn keep(&self, shelf: &mut Shelf, letter: &Letter) -> io::Result<()> {
        let place = shelf.journal.append(letter)?;
        let key = (letter.channel.clone(), letter.address.clone());
        let entry = Entry { seq: letter.seq, id: letter.id.clone(), place };
        shelf.put(&key, entry, letter.reference.clone());
        // Nobody watching is no fault.
        let _ = self.news.send(News::from(letter));
        shelf.tidy()
    }
}

impl Shelf {
    fn put(&mut self, key: &BoxKey, entry: Entry, reference: String) {
        self.next_seq = self.next_seq.max(entry.seq + 1);
        self.order.insert(entry.seq, key.clone());
        self.references.insert((key.0.clone(), entry.id.clone()), reference);
        let entries = self.boxes.entry(key.clone()).or_default();
        entries.push_back(entry);
        if entries.len() > LETTERS_AN_ADDRESS {
            self.drop_oldest(key);
        }
        if self.order.len() > LETTERS_IN_ALL
            && let Some((_, key)) = self.order.first_key_value()
        {
            let key = key.clone();
            self.drop_oldest(&key);
        }
    }

    fn drop_oldest(&mut self, key: &BoxKey) {
        let Some(entries) = self.boxes.get_mut(key) else { return };
        if let Some(entry) = entries.pop_front() {
            self.order.remove(&entry.seq);
            self.references.remove(&(key.0.clone(), entry.id));
            self.journal.forget(entry.place);
        }
        if entries.is_empty() {
            self.boxes.remove(key);
        }
    }

    fn tidy(&mut self) -> io::Result<()> {
        if !self.journal.wasteful() {
            return Ok(());
        }
        let mut kept: Vec<&mut Entry> =
            self.boxes.values_mut().flat_map(VecDeque::iter_mut).collect();
        kept.sort_by_key(|entry| entry.seq);
        let mut places: Vec<&mut Place> = kept.into_iter().map(|entry| &mut entry.place).collect();
        self.journal.rewrite(&mut places)
    }
}

/// The reference as the real channel gives it: the Message-ID of a mail, chat and message of a
/// chat, the provider's own id of a text message.
fn reference_of(posted: &Posted<'_>, seq: u64) -> String {
    match posted.channel {
        "telegram" => format!("{}:{seq}", posted.address),
        "email" => match posted.content.get("message_id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => format!("<{}@sandbox.invalid>", posted.id),
        },
        _ => format!("sandbox-{}", posted.id),
    }
}

/// A panic elsewhere leaves the index as it was: every change to it is complete.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! An SMTP server whose answers a test chooses recipient by recipient, which smtp-sink can't: it
//! answers every mail alike. RFC 5321 with PIPELINING; no TLS, no authentication.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream, tcp::OwnedWriteHalf},
    sync::watch,
    task::JoinHandle,
};

use super::smtp_sink::Mail;

/// What happens to a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// `RCPT TO` is answered with this line (`550 5.1.1 no such user`) …
    AtRcpt(String),
    /// … the text is taken, and its end is answered with this line (`451 4.3.0 try later`) …
    AfterData(String),
    /// … or the connection is cut in the middle of the text.
    Cut,
}

#[derive(Debug, Default)]
struct Seen {
    mails: Vec<Mail>,
    treatments: BTreeMap<String, Treatment>,
    /// First `Treatment`s that are lifted once they have struck so often.
    left: BTreeMap<String, u32>,
    transactions: usize,
}

struct Shared {
    seen: Mutex<Seen>,
    /// Mails beyond so many are taken, and their sender is not told.
    confirmed: watch::Sender<usize>,
}

/// See the module.
pub struct SmtpServer {
    address: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("failed to listen");
        let address = listener.local_addr().expect("a listener has an address").to_string();
        let shared =
            Arc::new(Shared { seen: Mutex::default(), confirmed: watch::Sender::new(usize::MAX) });
        let served = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // a client that hangs up is no fault of the server's
                let shared = Arc::clone(&served);
                sessions.spawn(async move { session(stream, &shared).await.ok() });
                while sessions.try_join_next().is_some() {}
            }
        });
        Self { address, shared, task }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on this recipient fares so.
    pub fn treat(&self, recipient: &str, treatment: Treatment) {
        lock(&self.shared.seen).treatments.insert(recipient.to_owned(), treatment);
    }

    /// As [`SmtpServer::treat`], but only the first `times` times.
    pub fn treat_first(&self, times: u32, recipient: &str, treatment: Treatment) {
        lock(&self.shared.seen).left.insert(recipient.to_owned(), times);
        self.treat(recipient, treatment);
    }

    /// Takes every mail, but confirms only the first `count`; the senders of more wait for their
    /// answer. `usize::MAX` answers everyone.
    pub fn confirm(&self, count: usize) {
        self.shared.confirmed.send_replace(count);
    }

    /// Every mail that was taken, in order; recipients that were refused are not among its `to`.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.shared.seen).mails.clone()
    }

    /// How many mails were taken.
    pub fn count(&self) -> usize {
        lock(&self.shared.seen).mails.len()
    }

    /// How many `MAIL FROM` there were, taken or not.
    pub fn transactions(&self) -> usize {
        lock(&self.shared.seen).transactions
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Transaction {
    from: Option<String>,
    to: Vec<String>,
    after_data: Option<Treatment>,
}

async fn session(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let seen = &shared.seen;
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let mut line = Vec::new();
    let mut now = Transaction::default();
    say(&mut write, "220 localhost ESMTP").await?;
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = text.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "LHLO" => {
                let lines = "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8";
                say(&mut write, lines).await?;
            }
            "HELO" | "NOOP" => say(&mut write, "250 2.0.0 ok").await?,
            "RSET" => {
                now = Transaction::default();
                say(&mut write, "250 2.0.0 ok").await?;
            }
            "QUIT" => return say(&mut write, "221 2.0.0 bye").await,
            "MAIL" => {
                lock(seen).transactions += 1;
                now = Transaction { from: Some(path(&text)), ..Transaction::default() };
                say(&mut write, "250 2.1.0 ok").await?;
            }
            "RCPT" => {
                let answer = rcpt(&mut now, path(&text), seen);
                say(&mut write, &answer).await?;
            }
            "DATA" if now.to.is_empty() => {
                say(&mut write, "554 5.5.1 no valid recipients").await?;
            }
            "DATA" => {
                say(&mut write, "354 go on").await?;
                let cut = now.after_data == Some(Treatment::Cut);
                let Some(message) = text_of(&mut lines, cut).await? else { return Ok(()) };
                let (answer, place) = data(std::mem::take(&mut now), message, seen);
                let mut confirmed = shared.confirmed.subscribe();
                if confirmed.wait_for(|count| place <= *count).await.is_err() {
                    return Ok(());
                }
                say(&mut write, &answer).await?;
            }
            _ => say(&mut write, "502 5.5.2 what?").await?,
        }
    }
}

fn rcpt(now: &mut Transaction, recipient: String, seen: &Mutex<Seen>) -> String {
    if now.from.is_none() {
        return "503 5.5.1 MAIL first".to_owned();
    }
    match treatment(&mut lock(seen), &recipient) {
        Some(Treatment::AtRcpt(answer)) => return answer,
        Some(later) => now.after_data = Some(later),
        None => {}
    }
    now.to.push(recipient);
    "250 2.1.5 ok".to_owned()
}

/// The answer, and the mail's place among those that were taken; 0 where it was not.
fn data(now: Transaction, message: String, seen: &Mutex<Seen>) -> (String, usize) {
    if let Some(Treatment::AfterData(answer)) = now.after_data {
        return (answer, 0);
    }
    let mut seen = lock(seen);
    seen.mails.push(Mail { from: now.from.unwrap_or_default(), to: now.to, message });
    let place = seen.mails.len();
    (format!("250 2.0.0 queued as {place}"), place)
}

fn treatment(seen: &mut Seen, recipient: &str) -> Option<Treatment> {
    if let Some(left) = seen.left.get_mut(recipient) {
        if *left == 0 {
            return None;
        }
        *left -= 1;
    }
    seen.treatments.get(recipient).cloned()
}

/// The text up to its dot, dot-stuffing undone; none where the connection ends or is to be `cut`.
async fn text_of(
    lines: &mut BufReader<tokio::net::tcp::OwnedReadHalf>,
    cut: bool,
) -> std::io::Result<Option<String>> {
    let mut text = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).await? == 0 || cut {
            return Ok(None);
        }
        if line == b".\r\n" {
            return Ok(Some(String::from_utf8_lossy(&text).replace("\r\n", "\n")));
        }
        text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

async fn say(write: &mut OwnedWriteHalf, line: &str) -> std::io::Result<()> {
    write.write_all(format!("{line}\r\n").as_bytes()).await
}

/// `RCPT TO:<a@b> NOTIFY=NEVER` → `a@b`.
fn path(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(path, _)| path.to_owned()).unwrap_or_default()
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

use std::{io, sync::Arc};

use portevoix_contract::Sink;
use smtp_proto::{
    Error, MAIL_BODY_BINARYMIME, MailFrom, Request,
    request::receiver::{DataReceiver, DummyDataReceiver},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{GRACE, LmtpConfig, received};

/// Longest command line: 512 octets by RFC 5321, more for its extensions' parameters.
const MAX_LINE: usize = 2048;
/// A client that makes so many mistakes is not a mail server.
const MAX_MISTAKES: usize = 20;

/// One client's connection.
pub(super) struct Session {
    stream: BufReader<TcpStream>,
    /// Replies that wait until the client's pipelined commands are read.
    replies: Vec<u8>,
    config: Arc<LmtpConfig>,
    sink: Arc<dyn Sink>,
    stop: CancellationToken,
    clock: fn() -> i64,
    greeted: bool,
    sender: Option<String>,
    recipients: Vec<String>,
    mistakes: usize,
}

enum Next {
    Command,
    Content,
    Close,
}

enum Heard {
    Line(Vec<u8>),
    TooLong,
    Stopping,
    Silent,
    Gone,
}

impl Session {
    pub(super) fn new(
        socket: TcpStream,
        config: Arc<LmtpConfig>,
        sink: Arc<dyn Sink>,
        stop: CancellationToken,
        clock: fn() -> i64,
    ) -> Self {
        Self {
            stream: BufReader::new(socket),
            replies: Vec::new(),
            config,
            sink,
            stop,
            clock,
            greeted: false,
            sender: None,
            recipients: Vec::new(),
            mistakes: 0,
        }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        self.reply(&format!("220 {} LMTP ready", self.config.hostname));
        loop {
            let next = match self.line().await? {
                Heard::Line(line) => self.command(&line),
                Heard::TooLong => self.last("500 5.5.2 the line is too long"),
                Heard::Stopping => self.last("421 4.3.2 shutting down, try again"),
                Heard::Silent => self.last("421 4.4.2 nothing heard for too long"),
                Heard::Gone => return Ok(()),
            };
            match next {
                Next::Command => {}
                Next::Content => {
                    self.flush().await?;
                    self.content().await?;
                }
                Next::Close => return self.flush().await,
            }
        }
    }

    /// The next command line. Replies go out when nothing more is there to be read at once.
    async fn line(&mut self) -> io::Result<Heard> {
        let mut line = Vec::new();
        loop {
            if self.stream.buffer().is_empty() {
                self.flush().await?;
            }
            let waited = tokio::select! {
                () = self.stop.cancelled() => return Ok(Heard::Stopping),
                waited = timeout(self.config.patience, self.stream.fill_buf()) => waited,
            };
            let Ok(bytes) = waited else { return Ok(Heard::Silent) };
            let bytes = bytes?;
            if bytes.is_empty() {
                return Ok(Heard::Gone);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let take = end.unwrap_or(bytes.len());
            line.extend_from_slice(&bytes[..take]);
            self.stream.consume(take);
            if line.len() > MAX_LINE {
                return Ok(Heard::TooLong);
            }
            if end.is_some() {
                return Ok(Heard::Line(line));
            }
        }
    }

    fn command(&mut self, line: &[u8]) -> Next {
        match Request::parse(&mut line.iter()) {
            Ok(Request::Lhlo { .. }) => {
                self.reset();
                self.greeted = true;
                let (name, size) = (&self.config.hostname, self.config.max_bytes);
                let lines = format!(
                    "250-{name}\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {size}"
                );
                self.reply(&lines);
            }
            Ok(Request::Mail { from }) => return self.mail(&from),
            Ok(Request::Rcpt { to }) => return self.rcpt(&to.address),
            Ok(Request::Data) if self.recipients.is_empty() => {
                return self.mistake("503 5.5.1 no recipient yet");
            }
            Ok(Request::Data) => {
                self.reply("354 end with a dot on its own line");
                return Next::Content;
            }
            Ok(Request::Rset) => {
                self.reset();
                self.reply("250 2.0.0 forgotten");
            }
            Ok(Request::Noop { .. }) => self.reply("250 2.0.0 ok"),
            Ok(Request::Vrfy { .. }) => self.reply("252 2.1.5 send, and it will be seen"),
            Ok(Request::Quit) => return self.last("221 2.0.0 goodbye"),
            Ok(Request::Ehlo { .. } | Request::Helo { .. }) => {
                return self.mistake("500 5.5.1 this is LMTP: say LHLO");
            }
            Ok(_) => return self.mistake("502 5.5.1 not offered here"),
            Err(error) => return self.mistake(words_for(&error)),
        }
        Next::Command
    }

    fn mail(&mut self, from: &MailFrom<std::borrow::Cow<'_, str>>) -> Next {
        if !self.greeted {
            return self.mistake("503 5.5.1 say LHLO first");
        }
        if self.sender.is_some() {
            return self.mistake("503 5.5.1 a mail is open: say RSET first");
        }
        if from.flags & MAIL_BODY_BINARYMIME != 0 {
            return self.mistake("555 5.5.4 BINARYMIME is not offered");
        }
        if from.size > self.config.max_bytes {
            self.reply("552 5.3.4 the mail is too large");
            return Next::Command;
        }
        self.sender = Some(from.address.to_string());
        self.reply("250 2.1.0 ok");
        Next::Command
    }

    fn rcpt(&mut self, address: &str) -> Next {
        if self.sender.is_none() {
            return self.mistake("503 5.5.1 say MAIL first");
        }
        let ours = address
            .rsplit_once('@')
            .is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(&self.config.domain));
        if !ours {
            self.reply("550 5.1.2 not a domain of this gateway");
        } else if self.recipients.len() >= self.config.max_recipients {
            self.reply("452 4.5.3 too many recipients in one mail");
        } else {
            self.recipients.push(address.to_owned());
            self.reply("250 2.1.5 ok");
        }
        Next::Command
    }

    /// Reads the content and answers for each recipient in order (RFC 2033 section 4.2).
    async fn content(&mut self) -> io::Result<()> {
        let sender = self.sender.take().unwrap_or_default();
        let recipients = std::mem::take(&mut self.recipients);
        let Some(mail) = self.read_content().await? else {
            for _ in &recipients {
                self.reply("552 5.3.4 the mail is too large");
            }
            return Ok(());
        };
        for recipient in recipients {
            let inbound = received::inbound(&sender, &recipient, &mail, (self.clock)());
            match self.sink.inbound(inbound).await {
                Ok(_) => self.reply("250 2.0.0 received"),
                Err(error) => {
                    tracing::warn!(%error, "lmtp: a mail is left with the server that brought it");
                    self.reply("451 4.3.0 not stored, try again");
                }
            }
        }
        Ok(())
    }

    /// None: larger than allowed; it was read to its end nonetheless, for only then may we answer.
    async fn read_content(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut receiver = DataReceiver::new();
        let mut mail = Vec::with_capacity(8192);
        // The receiver looks for CRLF before the final dot, which an empty content does not have:
        // the one that ended DATA counts.
        receiver.ingest(&mut b"\r\n".iter(), &mut mail);
        mail.clear();
        let mut discard: Option<DummyDataReceiver> = None;
        loop {
            let bytes = read_some(&mut self.stream, &self.stop, &self.config).await?;
            let mut rest = bytes.iter();
            let done = match &mut discard {
                Some(receiver) => receiver.ingest(&mut rest),
                None => receiver.ingest(&mut rest, &mut mail),
            };
            let used = bytes.len() - rest.len();
            self.stream.consume(used);
            if done {
                let fits = discard.is_none() && mail.len() <= self.config.max_bytes;
                return Ok(fits.then_some(mail));
            }
            if discard.is_none() && mail.len() > self.config.max_bytes {
                discard = Some(DummyDataReceiver::new_data(&receiver));
                mail = Vec::new();
            }
        }
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    fn mistake(&mut self, text: &str) -> Next {
        self.mistakes += 1;
        if self.mistakes > MAX_MISTAKES {
            return self.last("421 4.7.0 too many mistakes");
        }
        self.reply(text);
        Next::Command
    }

    fn last(&mut self, text: &str) -> Next {
        self.reply(text);
        Next::Close
    }

    fn reply(&mut self, text: &str) {
        self.replies.extend_from_slice(text.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }

    async fn flush(&mut self) -> io::Result<()> {
        if !self.replies.is_empty() {
            let written = self.stream.get_mut().write_all(&self.replies);
            timeout(self.config.patience, written).await.map_err(|_| too_slow())??;
            self.replies.clear();
        }
        Ok(())
    }
}

/// More of the content. Without the final dot nothing is acknowledged, so the client keeps it.
async fn read_some<'s>(
    stream: &'s mut BufReader<TcpStream>,
    stop: &CancellationToken,
    config: &LmtpConfig,
) -> io::Result<&'s [u8]> {
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let bytes = tokio::select! {
        () = grace => return Err(too_slow()),
        waited = timeout(config.patience, stream.fill_buf()) => waited.map_err(|_| too_slow())??,
    };
    if bytes.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

fn too_slow() -> io::Error {
    io::Error::from(io::ErrorKind::TimedOut)
}

fn words_for(error: &Error) -> &'static str {
    match error {
        Error::InvalidSenderAddress => "553 5.1.7 the sender's address can't be read",
        Error::InvalidRecipientAddress => "553 5.1.3 the recipient's address can't be read",
        Error::UnsupportedParameter { .. } => "555 5.5.4 a parameter is not offered",
        Error::InvalidParameter { .. } | Error::SyntaxError { .. } => "501 5.5.4 syntax",
        _ => "500 5.5.1 unknown command",
    }
}

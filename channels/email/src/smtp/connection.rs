use std::{fmt, time::Duration};

use lettre::transport::smtp::{
    Error,
    authentication::Mechanism,
    client::{AsyncSmtpConnection, AsyncTokioStream},
    commands::{Ehlo, Rset},
    response::Response,
};
use portevoix_contract::Fault;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    classify::{Failure, PAUSE_REFUSED, Stage, failure},
    pool::SmtpTimes,
    server::{SmtpServer, TlsMode},
};

/// What EHLO promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Promises {
    pub pipelining: bool,
    pub eight_bit: bool,
    pub utf8: bool,
    /// Octets a message may have; 0: not said.
    pub size: u64,
}

/// A connection that has said EHLO, is protected and signed in as the settings ask.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    pub promises: Promises,
    pub encrypted: bool,
    /// Nothing has been sent on it yet.
    pub fresh: bool,
    pub idle_since: Instant,
}

/// How one mail ended on a connection.
pub(super) struct Ended {
    pub result: Result<String, Failure>,
    /// The connection can carry the next mail.
    pub usable: bool,
    /// A connection that had been used before was closed before the mail's content was sent, so
    /// it is safe to try it at once on another one.
    pub unheard: bool,
}

/// The addresses have been checked: nothing in them can end a command.
pub(super) struct Mail<'a> {
    pub from: &'a str,
    pub to: &'a str,
    /// Lines ending in CRLF.
    pub body: &'a str,
}

/// A transaction that ended before its content.
struct Stopped {
    failure: Failure,
    usable: bool,
    hung_up: bool,
}

impl Stopped {
    fn before(failure: Failure) -> Self {
        Self { failure, usable: true, hung_up: false }
    }
}

impl Connection {
    pub(super) async fn open(server: &SmtpServer, times: &SmtpTimes) -> Result<Self, Failure> {
        let opening = async {
            let socket = TcpStream::connect((server.host.as_str(), server.port))
                .await
                .map_err(|error| Failure::Later(format!("can't connect: {error}")))?;
            // Without it Nagle's algorithm and delayed acknowledgements cost 43 ms a mail.
            socket.set_nodelay(true).map_err(|error| Failure::Later(error.to_string()))?;
            Self::greet(server, socket).await
        };
        match timeout(times.connect, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(Failure::Later("the server did not answer in time".to_owned())),
        }
    }

    async fn greet(server: &SmtpServer, socket: TcpStream) -> Result<Self, Failure> {
        let opening = |error: Error| failure(Stage::Opening, &error);
        let stream: Box<dyn AsyncTokioStream> = match &server.implicit {
            Some(tls) => Box::new(tls.protect(socket).await.map_err(Failure::Later)?),
            None => Box::new(socket),
        };
        let mut smtp = AsyncSmtpConnection::connect_with_transport(stream, &server.hello)
            .await
            .map_err(opening)?;
        let mut encrypted = server.tls == TlsMode::Implicit;
        if let (TlsMode::Opportunistic | TlsMode::Required, Some(parameters)) =
            (server.tls, &server.starttls)
        {
            if smtp.can_starttls() {
                smtp.starttls(parameters.clone(), &server.hello).await.map_err(opening)?;
                encrypted = true;
            } else if server.tls == TlsMode::Required {
                let why = "the server does not offer STARTTLS, which is required".to_owned();
                return Err(Failure::SlowDown(PAUSE_REFUSED, why));
            }
        }
        if let Some(credentials) = &server.credentials {
            if !encrypted && !server.is_loopback() {
                let why = "a password is not sent over an unprotected connection".to_owned();
                return Err(Failure::SlowDown(PAUSE_REFUSED, why));
            }
            smtp.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await.map_err(opening)?;
        }
        // Lettre keeps only the extensions it uses itself: the full list is asked for once more.
        let hello = smtp.command(Ehlo::new(server.hello.clone())).await.map_err(opening)?;
        let promises = promises(&hello);
        Ok(Self { smtp, promises, encrypted, fresh: true, idle_since: Instant::now() })
    }

    /// One transaction. Never fails as a whole: what happened is in [`Ended`].
    pub(super) async fn send(&mut self, mail: &Mail<'_>, times: &SmtpTimes) -> Ended {
        let fresh = std::mem::replace(&mut self.fresh, false);
        let late = |why: &str| Ended {
            result: Err(Failure::Later(why.to_owned())),
            usable: false,
            unheard: false,
        };
        match timeout(times.command, self.envelope(mail)).await {
            Ok(Ok(())) => {}
            Ok(Err(Stopped { failure, usable, hung_up })) => {
                return Ended { result: Err(failure), usable, unheard: hung_up && !fresh };
            }
            Err(_) => return late("the server did not answer in time"),
        }
        match timeout(times.content, self.smtp.command(Content(mail.body))).await {
            Ok(Ok(reply)) => Ended {
                result: Ok(reply.first_line().unwrap_or_default().to_owned()),
                usable: true,
                unheard: false,
            },
            Ok(Err(error)) => {
                let usable = error.status().is_some() && !closes(&error);
                Ended { result: Err(failure(Stage::Content, &error)), usable, unheard: false }
            }
            Err(_) => late("the server did not confirm the mail in time"),
        }
    }

    /// MAIL, RCPT and DATA; after a refusal the transaction is reset.
    async fn envelope(&mut self, mail: &Mail<'_>) -> Result<(), Stopped> {
        let eight_bit = !mail.body.is_ascii();
        let international = !mail.from.is_ascii() || !mail.to.is_ascii();
        if (eight_bit && !self.promises.eight_bit) || (international && !self.promises.utf8) {
            let why = "the server takes neither 8-bit mail nor international addresses".to_owned();
            return Err(Stopped::before(Failure::Refused(Fault::Us, why)));
        }
        if self.promises.size > 0 && mail.body.len() as u64 > self.promises.size {
            let why = format!("the mail is larger than the server's {} bytes", self.promises.size);
            return Err(Stopped::before(Failure::Refused(Fault::Message, why)));
        }
        let line = Line::Mail { from: mail.from, eight_bit, international };
        let result = if self.promises.pipelining {
            self.pipelined(line, mail.to).await
        } else {
            self.stepwise(line, mail.to).await
        };
        match result {
            Ok(()) => Ok(()),
            Err((stage, error)) => {
                let hung_up = error.status().is_none() || closes(&error);
                let usable = !hung_up && self.smtp.command(Rset).await.is_ok();
                Err(Stopped { failure: failure(stage, &error), usable, hung_up })
            }
        }
    }

    async fn stepwise(&mut self, line: Line<'_>, to: &str) -> Result<(), (Stage, Error)> {
        self.smtp.command(line).await.map_err(|error| (Stage::Sender, error))?;
        self.smtp.command(Line::Rcpt(to)).await.map_err(|error| (Stage::Recipient, error))?;
        self.smtp.command(Line::Data).await.map_err(|error| (Stage::Content, error))?;
        Ok(())
    }

    /// RFC 2920: three commands in one write, then the three replies, whatever they are.
    async fn pipelined(&mut self, line: Line<'_>, to: &str) -> Result<(), (Stage, Error)> {
        let sender = heard(Stage::Sender, self.smtp.command(Group(line, to)).await)?;
        let recipient = heard(Stage::Recipient, self.smtp.read_response().await)?;
        let data = heard(Stage::Content, self.smtp.read_response().await)?;
        if data.is_ok() && (sender.is_err() || recipient.is_err()) {
            // The server waits for content although nobody is to get it: an empty one ends that.
            if let Err(error) = self.smtp.command(".\r\n").await
                && error.status().is_none()
            {
                return Err((Stage::Content, error));
            }
        }
        sender.and(recipient).and(data)
    }

    /// A connection that has waited long may be gone; one that answers is not.
    pub(super) async fn answers(&mut self, patience: Duration) -> bool {
        matches!(timeout(patience, self.smtp.test_connected()).await, Ok(true))
    }

    pub(super) async fn close(mut self, patience: Duration) {
        // A server that does not answer QUIT is left.
        drop(timeout(patience, self.smtp.quit()).await);
    }
}

type Reply = Result<(), (Stage, Error)>;

/// A refusal lets the replies after it be read; a connection that broke or closes has none.
fn heard(stage: Stage, reply: Result<Response, Error>) -> Result<Reply, (Stage, Error)> {
    match reply {
        Ok(_) => Ok(Ok(())),
        Err(error) if error.status().is_none() || closes(&error) => Err((stage, error)),
        Err(error) => Ok(Err((stage, error))),
    }
}

fn closes(error: &Error) -> bool {
    error.status().is_some_and(|code| u16::from(code) == 421)
}

fn promises(hello: &Response) -> Promises {
    let mut promises = Promises::default();
    for line in hello.message() {
        let mut words = line.split_whitespace();
        match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "PIPELINING" => promises.pipelining = true,
            "8BITMIME" => promises.eight_bit = true,
            "SMTPUTF8" => promises.utf8 = true,
            "SIZE" => promises.size = words.next().and_then(|n| n.parse().ok()).unwrap_or(0),
            _ => {}
        }
    }
    promises
}

#[derive(Clone, Copy)]
enum Line<'a> {
    Mail { from: &'a str, eight_bit: bool, international: bool },
    Rcpt(&'a str),
    Data,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail { from, eight_bit, international } => {
                write!(f, "MAIL FROM:<{from}>")?;
                if *eight_bit {
                    f.write_str(" BODY=8BITMIME")?;
                }
                if *international {
                    f.write_str(" SMTPUTF8")?;
                }
                f.write_str("\r\n")
            }
            Self::Rcpt(to) => write!(f, "RCPT TO:<{to}>\r\n"),
            Self::Data => f.write_str("DATA\r\n"),
        }
    }
}

struct Group<'a>(Line<'a>, &'a str);

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0, Line::Rcpt(self.1), Line::Data)
    }
}

/// The mail with dots doubled at line starts (RFC 5321 section 4.5.2) and its final dot, in one
/// write: apart, the dot would wait for the server's acknowledgement of the rest.
struct Content<'a>(&'a str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with('.') || self.0.contains("\n.") {
            for line in self.0.split_inclusive('\n') {
                if line.starts_with('.') {
                    f.write_str(".")?;
                }
                f.write_str(line)?;
            }
        } else {
            f.write_str(self.0)?;
        }
        f.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_and_the_last_one_is_ours() {
        assert_eq!(Content("a\r\n.b\r\n..\r\n").to_string(), "a\r\n..b\r\n...\r\n.\r\n");
        assert_eq!(Content(".\r\na").to_string(), "..\r\na\r\n.\r\n");
    }
}

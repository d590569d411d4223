//! Real and scripted SMTP servers.

use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// Postfix's smtp-sink on a free port; stopped when dropped.
pub struct Sink {
    child: Child,
    pub port: u16,
}

impl Sink {
    pub async fn start(arguments: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("/usr/sbin/smtp-sink")
            .args(arguments)
            .args(["-u", "nobody", &format!("127.0.0.1:{port}"), "100"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("smtp-sink (Debian package postfix) is installed");
        let mut sink = Self { child, port };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(sink.child.try_wait().unwrap().is_none(), "smtp-sink stopped at once");
            tokio::task::yield_now().await;
        }
        sink
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a scripted server does when a command comes.
#[derive(Clone)]
pub enum Say {
    /// This reply instead of the usual one.
    Reply(&'static str),
    /// This reply, then the connection is closed.
    Last(&'static str),
    /// The connection is closed without a word.
    Hang,
    /// After DATA: the connection is cut once this many bytes of content came.
    CutContentAfter(usize),
}

/// (connection number from 0, command line) → what to do, or the usual.
pub type Script = Arc<dyn Fn(usize, &str) -> Option<Say> + Send + Sync>;

/// A server that follows a script and keeps what it got.
pub struct Scripted {
    pub port: u16,
    pub got: Arc<Mutex<Got>>,
}

#[derive(Default, Debug)]
pub struct Got {
    pub connections: usize,
    pub commands: Vec<String>,
    pub mails: Vec<String>,
}

/// How the scripted server protects its connections.
#[derive(Clone)]
pub enum Protection {
    None,
    StartTls(TlsAcceptor),
    Implicit(TlsAcceptor),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Scripted {
    pub async fn start(script: Script) -> Self {
        Self::protected(script, Protection::None).await
    }

    pub async fn protected(script: Script, protection: Protection) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(Got::default()));
        let kept = Arc::clone(&got);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let number = {
                    let mut got = kept.lock().unwrap();
                    got.connections += 1;
                    got.connections - 1
                };
                let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
                let protection = protection.clone();
                tokio::spawn(async move {
                    let stream: Box<dyn Stream> = match &protection {
                        Protection::Implicit(tls) => match tls.accept(socket).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                        _ => Box::new(socket),
                    };
                    drop(session(stream, number, script, kept, protection).await);
                });
            }
        });
        Self { port, got }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }
}

async fn session(
    stream: Box<dyn Stream>,
    number: usize,
    script: Script,
    kept: Arc<Mutex<Got>>,
    protection: Protection,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut protection = protection;
    let mut line = "CONNECT".to_owned();
    loop {
        let mut cut = None;
        let usual = match line.split([' ', ':']).next().unwrap_or_default() {
            "CONNECT" => "220 scripted ESMTP",
            "EHLO" if matches!(protection, Protection::StartTls(_)) => {
                "250-scripted\r\n250-STARTTLS\r\n250 PIPELINING"
            }
            "STARTTLS" => "220 go on",
            "EHLO" => "250-scripted\r\n250-8BITMIME\r\n250 PIPELINING",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 2.0.0 ok",
        };
        let reply = match script(number, &line) {
            None => usual,
            Some(Say::Reply(reply)) => reply,
            Some(Say::Last(reply)) => {
                stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
                return Ok(());
            }
            Some(Say::Hang) => return Ok(()),
            Some(Say::CutContentAfter(bytes)) => {
                cut = Some(bytes);
                usual
            }
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        if line == "STARTTLS"
            && let Protection::StartTls(tls) = &protection
        {
            stream = BufReader::new(Box::new(tls.accept(stream.into_inner()).await?));
            protection = Protection::None;
        }
        if line == "DATA" && reply.starts_with("354") {
            if let Some(bytes) = cut {
                let mut some = vec![0; bytes];
                stream.read_exact(&mut some).await?;
                return Ok(());
            }
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") && mail != ".\r\n" {
                if stream.read_line(&mut mail).await? == 0 {
                    return Ok(());
                }
            }
            kept.lock().unwrap().mails.push(mail);
            "CONTENT".clone_into(&mut line);
        } else {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            line.truncate(line.trim_end().len());
            kept.lock().unwrap().commands.push(line.clone());
        }
    }
}

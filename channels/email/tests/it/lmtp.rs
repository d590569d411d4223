use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use portevoix_contract::{Inbound, NotStored, Receipt, Sink, Source, Stored};
use portevoix_email::{LmtpConfig, LmtpSource};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::Semaphore,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Keeps what comes; says "not stored" for recipients that hold `broken`.
#[derive(Default)]
struct Kept {
    all: Mutex<Vec<Inbound>>,
}

#[async_trait]
impl Sink for Kept {
    async fn inbound(&self, inbound: Inbound) -> Result<Stored, NotStored> {
        if inbound.to.contains("broken") {
            return Err(NotStored("the database is away".to_owned()));
        }
        let mut all = self.all.lock().unwrap();
        let seen = all.iter().any(|one| one.provider_id == inbound.provider_id);
        all.push(inbound);
        Ok(if seen { Stored::Duplicate } else { Stored::New })
    }

    async fn receipt(&self, _: Receipt) -> Result<(), NotStored> {
        Ok(())
    }
}

struct Server {
    address: SocketAddr,
    kept: Arc<Kept>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), String>>,
}

fn start(change: impl FnOnce(&mut LmtpConfig)) -> Server {
    let mut config = LmtpConfig::new("127.0.0.1:0".parse().unwrap(), "reponse.mel.example");
    change(&mut config);
    let source = LmtpSource::bind(config, || 1_795_424_400_000).unwrap();
    let address = source.local_addr();
    let kept = Arc::new(Kept::default());
    let stop = CancellationToken::new();
    let (sink, token) = (Arc::clone(&kept), stop.clone());
    let task = tokio::spawn(async move { source.run(sink, token).await });
    Server { address, kept, stop, task }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(server: &Server) -> Self {
        let mut client = Self(BufReader::new(TcpStream::connect(server.address).await.unwrap()));
        assert!(client.reply().await.starts_with("220 "));
        client
    }

    async fn ready(server: &Server) -> Self {
        let mut client = Self::connect(server).await;
        client.say("LHLO mx.mel.example").await;
        client
    }

    /// The last line of the next reply.
    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).await.unwrap() > 0, "the server hung up");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn write(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn say(&mut self, line: &str) -> String {
        self.write(&format!("{line}\r\n")).await;
        self.reply().await
    }

    async fn closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await.is_ok() && rest.is_empty()
    }
}

const MAIL: &str =
    "Received: by mx\r\nMessage-ID: <1@exemple.fr>\r\nSubject: Re\r\n\r\nOui.\r\n..point\r\n.\r\n";

#[tokio::test]
async fn a_reply_and_a_bounce_come_in() {
    let server = start(|_| {});
    let mut client = Client::connect(&server).await;
    client.write("LHLO mx.mel.example\r\n").await;
    let mut offered = String::new();
    while !offered.contains("250 ") {
        client.0.read_line(&mut offered).await.unwrap();
    }
    for word in ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 25000000"] {
        assert!(offered.contains(word), "{offered}");
    }
    assert!(!offered.contains("CHUNKING"));
    assert_eq!(
        client.say("MAIL FROM:<camille@exemple.fr> SIZE=100 BODY=8BITMIME").await,
        "250 2.1.0 ok"
    );
    assert_eq!(client.say("RCPT TO:<r+abc@reponse.mel.example>").await, "250 2.1.5 ok");
    assert!(client.say("DATA").await.starts_with("354 "));
    client.write(MAIL).await;
    assert_eq!(client.reply().await, "250 2.0.0 received");
    client.say("MAIL FROM:<>").await;
    client.say("RCPT TO:<b+abc@REPONSE.mel.example>").await;
    client.say("DATA").await;
    client.write(".\r\n").await;
    assert_eq!(client.reply().await, "250 2.0.0 received");
    assert!(client.say("QUIT").await.starts_with("221 "));
    assert!(client.closed().await);

    let all = server.kept.all.lock().unwrap();
    assert_eq!(
        (all[0].from.as_str(), all[0].to.as_str()),
        ("camille@exemple.fr", "r+abc@reponse.mel.example")
    );
    assert_eq!(
        String::from_utf8_lossy(&all[0].raw),
        "Return-Path: <camille@exemple.fr>\r\nReceived: by mx\r\nMessage-ID: <1@exemple.fr>\r\nSubject: Re\r\n\r\nOui.\r\n.point\r\n"
    );
    assert_eq!((all[0].channel.as_str(), all[0].received_at_ms), ("email", 1_795_424_400_000));
    assert_eq!(
        (all[1].from.as_str(), all[1].raw.as_slice()),
        ("", b"Return-Path: <>\r\n".as_slice())
    );
}

#[tokio::test]
async fn each_recipient_is_answered_and_a_copy_has_the_same_id() {
    let server = start(|config| config.max_recipients = 3);
    let mut client = Client::ready(&server).await;
    // Pipelined in one write, content included.
    let group = "MAIL FROM:<a@b.fr>\r\nRCPT TO:<r+one@reponse.mel.example>\r\nRCPT TO:<x@ailleurs.fr>\r\nRCPT TO:<r+broken@reponse.mel.example>\r\nRCPT TO:<r+two@reponse.mel.example>\r\nRCPT TO:<r+four@reponse.mel.example>\r\nDATA\r\n";
    for _ in 0..2 {
        client.write(group).await;
        let mut codes = Vec::new();
        for _ in 0..7 {
            codes.push(client.reply().await[..3].to_owned());
        }
        assert_eq!(codes, ["250", "250", "550", "250", "250", "452", "354"]);
        client.write(MAIL).await;
        assert_eq!(client.reply().await, "250 2.0.0 received");
        assert_eq!(client.reply().await, "451 4.3.0 not stored, try again");
        assert_eq!(client.reply().await, "250 2.0.0 received");
    }
    let all = server.kept.all.lock().unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!(all[0].provider_id, all[2].provider_id);
    assert_eq!(all[1].provider_id, all[3].provider_id);
    assert_ne!(all[0].provider_id, all[1].provider_id);
}

#[tokio::test]
async fn what_is_out_of_order_or_unknown_is_answered_and_survived() {
    let server = start(|_| {});
    let mut client = Client::connect(&server).await;
    let steps = [
        ("EHLO x", "500"),
        ("MAIL FROM:<a@b.fr>", "503"),
        ("LHLO x", "250"),
        ("RCPT TO:<r+a@reponse.mel.example>", "503"),
        ("DATA", "503"),
        ("MAIL FROM:<a@b.fr", "501"),
        ("MAIL FROM:<a@b.fr> SIZE=99999999999", "552"),
        ("MAIL FROM:<a@b.fr> BODY=BINARYMIME", "555"),
        ("MAIL FROM:<a@b.fr>", "250"),
        ("MAIL FROM:<a@b.fr>", "503"),
        ("RCPT TO:<x@reponse.mel.example.evil.fr>", "550"),
        ("DATA", "503"),
        ("RSET", "250"),
        ("VRFY camille", "252"),
        ("NOOP", "250"),
        ("BDAT 5 LAST", "502"),
        ("STARTTLS", "502"),
        ("FOO\u{1}\u{fffd}", "500"),
    ];
    for (line, code) in steps {
        let reply = client.say(line).await;
        assert!(reply.starts_with(code), "{line}: {reply}");
    }
    let mut last = String::new();
    for _ in 0..30 {
        last = client.say("FOO").await;
        if last.starts_with("421") {
            break;
        }
    }
    assert!(last.starts_with("421 4.7.0") && client.closed().await, "{last}");
    assert!(server.kept.all.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_after_its_end() {
    let server = start(|config| config.max_bytes = 10_000);
    let mut client = Client::ready(&server).await;
    client.say("MAIL FROM:<a@b.fr>").await;
    client.say("RCPT TO:<r+a@reponse.mel.example>").await;
    client.say("RCPT TO:<r+b@reponse.mel.example>").await;
    client.say("DATA").await;
    client.write(&"une ligne de texte\r\n.. deux\r\n".repeat(2_000)).await;
    client.write(".\r\n").await;
    for _ in 0..2 {
        assert!(client.reply().await.starts_with("552 5.3.4"));
    }
    assert_eq!(client.say("NOOP").await, "250 2.0.0 ok");
    assert!(server.kept.all.lock().unwrap().is_empty());
}

#[tokio::test]
async fn long_lines_silence_and_crowds_are_cut_off() {
    let server = start(|config| {
        config.max_connections = 1;
        config.patience = Duration::from_millis(300);
    });
    let mut client = Client::ready(&server).await;
    let mut second = Client(BufReader::new(TcpStream::connect(server.address).await.unwrap()));
    assert!(second.reply().await.starts_with("421 4.3.2"));
    assert!(client.say(&"x".repeat(3_000)).await.starts_with("500 5.5.2"));
    drop(client);
    let mut client = loop {
        let mut client = Client(BufReader::new(TcpStream::connect(server.address).await.unwrap()));
        if client.reply().await.starts_with("220") {
            break client;
        }
    };
    assert!(client.reply().await.starts_with("421 4.4.2"));
    assert!(client.closed().await);
}

#[tokio::test]
async fn stopping_lets_a_mail_finish_and_says_goodbye() {
    let server = start(|_| {});
    let mut idle = Client::ready(&server).await;
    let mut busy = Client::ready(&server).await;
    busy.say("MAIL FROM:<a@b.fr>").await;
    busy.say("RCPT TO:<r+a@reponse.mel.example>").await;
    busy.say("DATA").await;
    let (start, end) = MAIL.split_at(40);
    busy.write(start).await;
    server.stop.cancel();
    assert!(idle.reply().await.starts_with("421 4.3.2"));
    busy.write(end).await;
    assert_eq!(busy.reply().await, "250 2.0.0 received");
    assert!(busy.reply().await.starts_with("421 4.3.2"));
    server.task.await.unwrap().unwrap();
    assert_eq!(server.kept.all.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn many_clients_at_once_lose_nothing() {
    let server = Arc::new(start(|_| {}));
    let permits = Arc::new(Semaphore::new(16));
    let mut tasks = Vec::new();
    for number in 0..50 {
        let (server, permits) = (Arc::clone(&server), Arc::clone(&permits));
        tasks.push(tokio::spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            let mut client = Client::ready(&server).await;
            for round in 0..4 {
                client.say("MAIL FROM:<a@b.fr>").await;
                client.say("RCPT TO:<r+a@reponse.mel.example>").await;
                client.say("DATA").await;
                client.write(&format!("Message-ID: <{number}.{round}@x>\r\n\r\nx\r\n.\r\n")).await;
                assert_eq!(client.reply().await, "250 2.0.0 received");
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let all = server.kept.all.lock().unwrap();
    let ids: std::collections::BTreeSet<_> = all.iter().map(|one| &one.provider_id).collect();
    assert_eq!((all.len(), ids.len()), (200, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_own_client_is_understood() {
    let server = start(|_| {});
    let done = tokio::process::Command::new("/usr/sbin/smtp-source")
        .args(["-L", "-s", "4", "-m", "40", "-r", "2", "-N", "-l", "20000"])
        .args(["-f", "camille@exemple.fr", "-t", "x@reponse.mel.example"])
        .arg(format!("127.0.0.1:{}", server.address.port()))
        .output()
        .await
        .expect("smtp-source (Debian package postfix) is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    let all = server.kept.all.lock().unwrap();
    assert_eq!(all.len(), 80);
    assert!(all.iter().all(|one| one.raw.len() > 20_000 && one.from == "camille@exemple.fr"));
}

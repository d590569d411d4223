//! The mail server in front of the daemon: hands a mail over by LMTP (RFC 2033).

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

struct Talk {
    answers: tokio::io::Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

/// The answer to the mail's text: `250 …` where it was taken. `message` has lines ended by LF.
pub async fn deliver(address: &str, from: &str, to: &str, message: &str) -> String {
    let stream = TcpStream::connect(address).await.expect("failed to connect by LMTP");
    let (read, write) = stream.into_split();
    let mut talk = Talk { answers: BufReader::new(read).lines(), write };
    talk.expect("220").await;
    for (line, code) in [
        ("LHLO mx.example.org".to_owned(), "250"),
        (format!("MAIL FROM:<{from}>"), "250"),
        (format!("RCPT TO:<{to}>"), "250"),
        ("DATA".to_owned(), "354"),
    ] {
        talk.say(&line).await;
        talk.expect(code).await;
    }
    let stuffed: String = message
        .lines()
        .map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" }))
        .collect();
    talk.say(&format!("{stuffed}.")).await;
    talk.answer().await
}

impl Talk {
    async fn say(&mut self, line: &str) {
        let line = format!("{line}\r\n");
        self.write.write_all(line.as_bytes()).await.expect("the LMTP connection broke");
    }

    /// The last line of the next answer.
    async fn answer(&mut self) -> String {
        loop {
            let line = self.answers.next_line().await.expect("the LMTP connection broke");
            let line = line.expect("the daemon hung up");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    async fn expect(&mut self, code: &str) {
        let answer = self.answer().await;
        assert!(answer.starts_with(code), "LMTP answered `{answer}` instead of {code}");
    }
}

//! nats-server with JetStream on disk.

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

use super::{
    ports,
    process::{self, Running, Signal},
    wait_until,
};

pub struct Nats {
    port: u16,
    // before `folder`: the server ends before its folder goes
    running: Option<Running>,
    folder: TempDir,
}

impl Nats {
    /// A server that answers, with an empty store.
    pub async fn start() -> Self {
        let mut nats = Self::stopped();
        nats.restart().await;
        nats
    }

    /// A server that is not there yet: what a daemon meets that starts first.
    pub fn stopped() -> Self {
        let folder = process::folder("nats");
        let port = ports::free();
        // 8 MB, so that an event of 5 MB reaches the gateway and is judged there
        let settings = format!(
            "listen: \"127.0.0.1:{port}\"\nmax_payload: 8MB\njetstream {{ store_dir: {:?}, max_mem: 64MB, max_file: 2GB }}\n",
            folder.path().join("store")
        );
        std::fs::write(folder.path().join("nats.conf"), settings)
            .expect("failed to write nats.conf");
        Self { port, running: None, folder }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client with JetStream.
    pub async fn jetstream(&self) -> async_nats::jetstream::Context {
        let client = async_nats::connect(self.url()).await.expect("failed to connect to NATS");
        async_nats::jetstream::new(client)
    }

    /// Ends it gently; the store stays.
    pub fn stop(&mut self) {
        self.end(Signal::Term);
    }

    /// Ends it as a power cut would; the store stays.
    pub fn kill9(&mut self) {
        self.end(Signal::Kill);
    }

    /// Starts it on the same port with the same store, and waits until JetStream answers.
    pub async fn restart(&mut self) {
        if self.running.is_some() {
            self.stop();
        }
        let mut command = Command::new(process::program("nats-server"));
        command.arg("-c").arg(self.folder.path().join("nats.conf"));
        self.running =
            Some(Running::start(&mut command, &self.log_file(), self.folder.path(), Signal::Kill));
        wait_until("JetStream answers", async || {
            self.still_there();
            self.jetstream_answers().await
        })
        .await;
    }

    pub fn log(&self) -> String {
        process::read_log(&self.log_file())
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut running) = self.running.take() {
            running.end(signal);
        }
    }

    /// Asked by hand: `query_account` of async-nats can't read the answer of Debian's 2.9.
    async fn jetstream_answers(&self) -> bool {
        let Ok(client) = async_nats::connect(self.url()).await else { return false };
        match client.request("$JS.API.INFO", "".into()).await {
            Ok(answer) => String::from_utf8_lossy(&answer.payload).contains("\"limits\""),
            Err(_) => false,
        }
    }

    fn still_there(&mut self) {
        let ended = self.running.as_mut().and_then(Running::ended);
        assert!(ended.is_none(), "nats-server ended with {ended:?}:\n{}", self.log());
    }
}

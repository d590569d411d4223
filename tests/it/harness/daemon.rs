//! The real `portevoix`, in a folder of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
};

use tempfile::TempDir;

use super::{
    http, ports,
    process::{self, Running, Signal},
    wait_until,
};

pub struct Daemon {
    port: u16,
    program: PathBuf,
    environment: Vec<(String, String)>,
    // before `folder`: the daemon ends before its folder goes
    running: Option<Running>,
    folder: TempDir,
}

impl Daemon {
    /// `serve`, waited for until `/readyz` says yes. `settings` is TOML; `http.listen` and
    /// `http.public_url` are set by the harness, and relative paths lie in the daemon's folder.
    pub async fn start(settings: &str, environment: &[(&str, &str)]) -> Self {
        let mut daemon = Self::prepare(settings, environment);
        daemon.spawn();
        daemon.ready().await;
        daemon
    }

    /// Folder and settings, with nothing running: for [`Daemon::run`] before the start, or for a
    /// start that isn't going to be ready soon.
    pub fn prepare(settings: &str, environment: &[(&str, &str)]) -> Self {
        let folder = process::folder("daemon");
        std::fs::write(folder.path().join("portevoix.toml"), settings)
            .expect("failed to write the settings");
        let environment =
            environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_portevoix"));
        Self { port: ports::free(), program, environment, running: None, folder }
    }

    /// Starts `serve` and returns at once. What ran before is ended first.
    pub fn spawn(&mut self) {
        self.spawn_as(&["serve"]);
    }

    /// As [`Daemon::spawn`], with other arguments: `serve --roles dispatch`.
    pub fn spawn_as(&mut self, arguments: &[&str]) {
        self.kill9();
        let mut command = self.command(arguments);
        self.running =
            Some(Running::start(&mut command, &self.log_file(), self.folder.path(), Signal::Kill));
    }

    /// Waits until `/readyz` says yes.
    pub async fn ready(&mut self) {
        let client = http();
        let address = format!("{}/readyz", self.url());
        wait_until("the daemon is ready", async || {
            self.still_there();
            client.get(&address).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// Starts it again on the same port, with the same settings and files, and waits for it.
    pub async fn restart(&mut self) {
        self.spawn();
        self.ready().await;
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.end(Signal::Kill);
        }
    }

    /// Asks it to end, and waits until it has; how it ended.
    ///
    /// # Panics
    /// Where it was not running.
    pub async fn sigterm(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("the daemon is not running");
        running.signal(Signal::Term);
        super::wait_for("the daemon ends on SIGTERM", async || running.ended()).await
    }

    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Running::pid)
    }

    /// All that it wrote to its standard outputs, over all its starts.
    pub fn log(&self) -> String {
        process::read_log(&self.log_file())
    }

    /// Runs another subcommand to its end, with the same settings.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null());
        tokio::process::Command::from(command)
            .kill_on_drop(true)
            .output()
            .await
            .expect("failed to run the daemon's program")
    }

    /// As [`Daemon::run`]; standard output of a command that must succeed.
    pub async fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{arguments:?} ended with {}:\n{text}{errors}",
            output.status
        );
        text
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            // a developer's own settings must not reach a test
            if name.to_string_lossy().starts_with("PORTEVOIX_") {
                command.env_remove(name);
            }
        }
        let listen = format!("127.0.0.1:{}", self.port);
        command
            .args(arguments)
            .args(["--config", "portevoix.toml"])
            .env("PORTEVOIX_HTTP__LISTEN", listen)
            .env("PORTEVOIX_HTTP__PUBLIC_URL", self.url())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn still_there(&mut self) {
        let ended = self.running.as_mut().and_then(Running::ended);
        assert!(ended.is_none(), "the daemon ended with {ended:?}:\n{}", self.log());
    }
}

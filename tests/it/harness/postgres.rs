//! PostgreSQL: one server for all tests of a process, one database a test; or a server of a
//! test's own where it is going to be stopped.

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{
    ports,
    process::{self, Running, Signal, User},
    wait_until,
};

pub struct Postgres {
    port: u16,
    databases: AtomicU32,
    // before `folder`: the server ends before its folder goes
    running: Option<Running>,
    folder: TempDir,
    user: Option<User>,
}

static SHARED: OnceCell<Postgres> = OnceCell::const_new();

impl Postgres {
    /// The server that all tests of this process share. It ends with the process.
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(Self::start).await
    }

    /// A server of the caller's own, which may be stopped without disturbing others.
    pub async fn start() -> Self {
        let folder = process::folder("postgres");
        // PostgreSQL refuses to run as root
        let user = User::instead_of_root("postgres");
        if let Some(user) = user {
            user.own(folder.path());
        }
        let mut postgres =
            Self { port: ports::free(), databases: AtomicU32::new(0), running: None, folder, user };
        postgres.initdb();
        postgres.restart().await;
        postgres
    }

    /// A new, empty database; its address.
    pub async fn database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.connect().await.expect("failed to connect to PostgreSQL");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("failed to create a database");
        connection.close().await.expect("failed to close a connection");
        self.url(&name)
    }

    /// Ends it at once; connections break, and what was committed stays.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.end(Signal::Quit);
        }
    }

    /// Starts it on the same port with the same data, and waits until it answers.
    pub async fn restart(&mut self) {
        self.stop();
        let mut command = self.command("postgres");
        let port = format!("port={}", self.port);
        let settings = [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            // the tests kill the server, never the machine: what the system was handed is kept
            "fsync=off",
            "full_page_writes=off",
            "max_connections=300",
        ];
        command.arg("-D").arg(self.data());
        for setting in settings {
            command.args(["-c", setting]);
        }
        self.running =
            Some(Running::start(&mut command, &self.log_file(), self.folder.path(), Signal::Quit));
        wait_until("PostgreSQL answers", async || {
            self.still_there();
            self.connect().await.is_ok()
        })
        .await;
    }

    pub fn log(&self) -> String {
        process::read_log(&self.log_file())
    }

    fn initdb(&self) {
        let output = self
            .command("initdb")
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"])
            .args(["--locale=C.UTF-8", "-D"])
            .arg(self.data())
            .output()
            .expect("failed to run initdb");
        assert!(output.status.success(), "failed to initdb: {output:?}");
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(process::program(program));
        command.current_dir(self.folder.path());
        if let Some(user) = self.user {
            user.run(&mut command);
        }
        command
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.url("postgres")).await
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn still_there(&mut self) {
        let ended = self.running.as_mut().and_then(Running::ended);
        assert!(ended.is_none(), "postgres ended with {ended:?}:\n{}", self.log());
    }
}

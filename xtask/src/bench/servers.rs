//! The servers of a run, each ended by its pid with its handle.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    net::TcpStream,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::world::{World, make_open_folder, port, wait};
use crate::{
    find,
    shell::{is_root, output, run},
};

const START: Duration = Duration::from_secs(60);
/// Nothing new for so long is a standstill.
const STANDSTILL: Duration = Duration::from_secs(60);

/// A child that is ended with its handle: PostgreSQL at once and with its children, others killed.
pub struct Server {
    child: Child,
    signal: &'static str,
    log: PathBuf,
}

impl Server {
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log).context("failed to log")?;
        let errors = file.try_clone().context("failed to share a log")?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = command.spawn().with_context(|| format!("failed to start {command:?}"))?;
        Ok(Self { child, signal: "KILL", log: log.to_path_buf() })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error with the log's end where it has ended by itself.
    pub fn still_there(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait().context("failed to ask for a child's state")? {
            bail!("{status}; its log ends:\n{}", tail(&self.log, 2000)?);
        }
        Ok(())
    }

    fn wait_for_port(&mut self, port: u16) -> Result<()> {
        wait("a server to listen", START, || {
            self.still_there()?;
            Ok(TcpStream::connect(("127.0.0.1", port)).ok().map(drop))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let kill = ["-s", self.signal, &self.pid().to_string()];
            let _it_may_end_right_now = Command::new("kill").args(kill).status();
        }
        let _status = self.child.wait();
    }
}

fn program(name: &str) -> Result<Command> {
    let path = find::program(&[name])
        .with_context(|| format!("{name} is not installed; run `cargo xtask setup`"))?;
    Ok(Command::new(path))
}

fn tail(path: &Path, bytes: u64) -> Result<String> {
    let mut file = File::open(path).context("failed to open a log")?;
    let length = file.metadata().context("failed to measure a log")?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes))).context("failed to seek in a log")?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).context("failed to read a log")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

pub struct Nats {
    port: u16,
    _server: Server,
}

impl Nats {
    pub fn start(world: &World) -> Result<Self> {
        let port = port()?;
        let mut command = program("nats-server")?;
        command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]);
        command.arg(world.path("nats"));
        let mut server = Server::start(&mut command, &world.path("nats.log"))?;
        server.wait_for_port(port)?;
        Ok(Self { port, _server: server })
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

pub struct Sink {
    port: u16,
    server: Server,
    mails: PathBuf,
}

impl Sink {
    /// Counts and throws away.
    pub fn start(world: &World) -> Result<Self> {
        Self::start_with(world, false)
    }

    /// Keeps each mail in a file too.
    pub fn start_keeping(world: &World) -> Result<Self> {
        Self::start_with(world, true)
    }

    fn start_with(world: &World, keep: bool) -> Result<Self> {
        let (port, mails) = (port()?, world.path("mails"));
        make_open_folder(&mails)?;
        let mut command = program("smtp-sink")?;
        command.current_dir(&world.folder).arg("-c");
        if is_root() {
            command.args(["-u", "nobody"]);
        }
        if keep {
            command.arg("-d").arg(mails.join("mail."));
        }
        command.args([&format!("127.0.0.1:{port}"), "1000"]);
        let log = world.path(&format!("sink-{port}.log"));
        let mut server = Server::start(&mut command, &log)?;
        server.wait_for_port(port)?;
        Ok(Self { port, server, mails })
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// Mails taken so far: the last `mesg=…` of its running display.
    pub fn count(&self) -> Result<u32> {
        let shown = tail(&self.server.log, 200)?;
        let number = shown.rsplit("mesg=").nth(usize::from(!shown.ends_with('\r'))).unwrap_or("");
        let digits = number.trim_start();
        let end = digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len());
        Ok(digits[..end].parse().unwrap_or(0))
    }

    /// When the mail of that number had come. Looks every 3 ms.
    pub fn wait_for(
        &self,
        number: u32,
        mut still_there: impl FnMut() -> Result<()>,
    ) -> Result<Instant> {
        let (mut seen, mut since) = (0, Instant::now());
        wait("the mails to come", Duration::from_secs(3600), || {
            let count = self.count()?;
            if count >= number {
                return Ok(Some(Instant::now()));
            }
            still_there()?;
            if count > seen {
                (seen, since) = (count, Instant::now());
            }
            ensure!(since.elapsed() < STANDSTILL, "no mail for a while: {count} of {number} came");
            Ok(None)
        })
    }

    /// The one mail that was kept, without the lines that smtp-sink adds.
    pub fn only_mail(&self) -> Result<PathBuf> {
        let files: Vec<PathBuf> = fs::read_dir(&self.mails)
            .context("failed to list the mails")?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let [file] = files.as_slice() else { bail!("{} mails instead of one", files.len()) };
        let text = fs::read_to_string(file).context("failed to read the mail")?;
        let mut lines = text.lines().skip_while(|line| {
            line.starts_with("X-") || line.starts_with("Received:") || line.starts_with('\t')
        });
        let message: String = lines.by_ref().map(|line| format!("{line}\r\n")).collect();
        let path = self.mails.join("ready-made.eml");
        fs::write(&path, message).context("failed to keep the mail")?;
        Ok(path)
    }
}

pub struct Postgres {
    port: u16,
    server: Server,
}

impl Postgres {
    /// With the settings it is installed with (fsync on), and an empty database `bench`.
    pub fn start(world: &World) -> Result<Self> {
        let (port, folder) = (port()?, world.path("postgres"));
        make_open_folder(&folder)?;
        let user = server_user(&folder)?;
        let with_user = |name: &str| -> Result<Command> {
            let mut command = program(name)?;
            command.current_dir(&folder);
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            Ok(command)
        };
        let data = folder.join("data");
        let mut initdb = with_user("initdb")?;
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D"]);
        output(initdb.arg(&data))?;
        let mut command = with_user("postgres")?;
        command.arg("-D").arg(&data).args(["-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories=", "-c", &format!("port={port}")]);
        let mut server = Server::start(&mut command, &world.path("postgres.log"))?;
        server.signal = "QUIT";
        let place =
            ["-h", "127.0.0.1", "-U", "postgres", "-p", &port.to_string()].map(String::from);
        wait("PostgreSQL to answer", START, || {
            server.still_there()?;
            let ready = program("pg_isready")?.arg("-q").args(&place).status();
            Ok(ready.context("failed to run pg_isready")?.success().then_some(()))
        })?;
        run(program("createdb")?.args(&place).arg("bench"))?;
        Ok(Self { port, server })
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/bench", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

/// The user for a server that refuses to be root, made the folder's owner; none where we aren't.
fn server_user(folder: &Path) -> Result<Option<(u32, u32)>> {
    if !is_root() {
        return Ok(None);
    }
    let id = |option: &str| -> Result<u32> {
        let number = output(Command::new("id").args([option, "postgres"]))?;
        number.trim().parse().context("failed to read a user's number")
    };
    let (uid, gid) = (id("-u")?, id("-g")?);
    chown(folder, Some(uid), Some(gid)).context("failed to hand over a folder")?;
    Ok(Some((uid, gid)))
}

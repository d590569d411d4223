//! A server as a child process: started with its output in a file, ended by its pid.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

/// The path of a server's program: on PATH, or in Debian's usual places.
///
/// # Panics
/// Where it is not installed: a test that needs it must fail, not pass.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/local/bin", "/usr/sbin", "/usr/lib/dovecot"].map(PathBuf::from));
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed; run `cargo xtask setup`"))
}

/// A user and a group by number.
#[derive(Clone, Copy)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The user as whom a server runs that refuses to be root; none where we are not root anyway.
    pub fn instead_of_root(name: &str) -> Option<Self> {
        let id = |arguments: &[&str]| -> u32 {
            let output = Command::new("id").args(arguments).output().expect("failed to run id");
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim().parse().unwrap_or_else(|_| panic!("no user {name} on this machine"))
        };
        (id(&["-u"]) == 0).then(|| Self { uid: id(&["-u", name]), gid: id(&["-g", name]) })
    }

    /// Gives a path to this user.
    pub fn own(self, path: &Path) {
        chown(path, Some(self.uid), Some(self.gid)).expect("failed to change a folder's owner");
    }

    /// The command will run as this user.
    pub fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

/// A folder of a server's own, which every user can look into, removed with its handle.
pub fn folder(name: &str) -> tempfile::TempDir {
    let folder = tempfile::Builder::new()
        .prefix(&format!("portevoix-{name}-"))
        .tempdir()
        .expect("failed to make a temporary folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))
        .expect("failed to open a temporary folder to others");
    folder
}

/// How to end a server.
#[derive(Debug, Clone, Copy)]
pub enum Signal {
    /// Gently.
    Term,
    /// At once, children included, as PostgreSQL understands it.
    Quit,
    /// As a power cut would.
    Kill,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Quit => "QUIT",
            Self::Kill => "KILL",
        }
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    watch: Child,
    last: Signal,
}

impl Running {
    /// Starts `command` with its output appended to `log`. When this process is gone, whatever
    /// the way, the server gets `last`, and `folder` is removed.
    pub fn start(command: &mut Command, log: &Path, folder: &Path, last: Signal) -> Self {
        let output = append(log);
        let errors = output.try_clone().expect("failed to share a log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        let watch = watch(child.id(), folder, last);
        Self { child, watch, last }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("failed to ask for a child's state")
    }

    /// Sends a signal and waits for the end.
    pub fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().expect("failed to wait for a child")
    }

    /// Sends a signal, and returns at once.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            kill(signal.name(), self.pid());
        }
    }

    /// What happens when this process is killed: the watch's pipe ends without a word.
    pub fn orphan(&mut self) {
        self.watch.stdin = None;
    }

    /// Stops it in its tracks (SIGSTOP): connections stay open and nothing answers.
    pub fn freeze(&self) {
        kill("STOP", self.pid());
    }

    pub fn thaw(&self) {
        kill("CONT", self.pid());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(self.last);
        // a line means that all is well; the end of the pipe without one means that we were killed
        if let Some(mut pipe) = self.watch.stdin.take() {
            let _the_watch_may_be_gone = pipe.write_all(b"ended\n");
        }
        let _status = self.watch.wait();
    }
}

fn kill(signal: &str, pid: u32) {
    let status = Command::new("kill")
        .args(["-s", signal, &pid.to_string()])
        .status()
        .expect("failed to run kill");
    assert!(status.success(), "failed to send {signal} to {pid}");
}

fn watch(pid: u32, folder: &Path, last: Signal) -> Child {
    // the folder goes last: a server that is still ending would write into it
    let script = r#"trap "" INT TERM HUP
        read line && exit
        kill -s "$1" "$2"
        for try in 1 2 3 4 5 6 7 8 9; do kill -s 0 "$2" || break; sleep 0.2; done
        rm -rf "$3""#;
    Command::new("sh")
        .args(["-c", script, "watch", last.name(), &pid.to_string()])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("failed to start a watch")
}

fn append(log: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(log).expect("failed to open a log file")
}

/// What a server wrote so far, for the message of a failed test.
pub fn read_log(log: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned()
}

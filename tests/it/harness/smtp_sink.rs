//! Postfix's smtp-sink: takes every mail and keeps each in a file.

use std::{
    collections::HashSet,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{
    ports,
    process::{self, Running, Signal, User},
    wait_for, wait_until,
};

pub struct SmtpSink {
    port: u16,
    flags: Vec<String>,
    // before `folder`: the server ends before its folder goes
    running: Option<Running>,
    folder: TempDir,
}

/// A mail that was taken, with its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// As sent, lines ended by LF.
    pub message: String,
}

impl SmtpSink {
    /// `flags` as smtp-sink's manual has them: `-r RCPT` answers 450, `-f RCPT` answers 500, `-q
    /// RCPT` hangs up, `-w 2` waits 2 s before it answers a text …
    pub async fn start(flags: &[&str]) -> Self {
        let folder = process::folder("smtp-sink");
        let mails = folder.path().join("mails");
        std::fs::create_dir(&mails).expect("failed to make the sink's folder");
        std::fs::set_permissions(&mails, PermissionsExt::from_mode(0o777))
            .expect("failed to open the sink's folder");
        let flags = flags.iter().map(ToString::to_string).collect();
        let mut sink = Self { port: ports::free(), flags, running: None, folder };
        sink.restart().await;
        sink
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Hangs up on everyone; the mails stay.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it on the same port, beside the mails that it had taken.
    pub async fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(process::program("smtp-sink"));
        command.current_dir(self.folder.path()).args(&self.flags);
        // as root it wants to become someone else; as anyone else it can't
        if User::instead_of_root("nobody").is_some() {
            command.args(["-u", "nobody"]);
        }
        command.arg("-d").arg(self.mails_folder().join("mail.")).args([&self.address(), "1000"]);
        self.running =
            Some(Running::start(&mut command, &self.log_file(), self.folder.path(), Signal::Kill));
        wait_until("smtp-sink listens", async || {
            self.still_there();
            tokio::net::TcpStream::connect(self.address()).await.is_ok()
        })
        .await;
    }

    /// How many mails were taken whole.
    pub fn count(&self) -> usize {
        self.whole_files().len()
    }

    /// Every mail that was taken whole, in no particular order.
    pub fn mails(&self) -> Vec<Mail> {
        self.whole_files().iter().map(|path| Mail::read(path)).collect()
    }

    /// Waits until at least `count` mails were taken, and returns all.
    pub async fn wait_for(&self, count: usize) -> Vec<Mail> {
        wait_for(&format!("{count} mails at smtp-sink"), async || {
            (self.count() >= count).then(|| self.mails())
        })
        .await
    }

    /// Waits for a mail to an address, and returns it.
    pub async fn wait_for_mail_to(&self, address: &str) -> Mail {
        wait_for(&format!("a mail to {address} at smtp-sink"), async || {
            self.mails().into_iter().find(|mail| mail.to.iter().any(|to| to == address))
        })
        .await
    }

    /// A file that is there and that the sink no longer holds open is whole: it opens each once.
    fn whole_files(&self) -> Vec<PathBuf> {
        let files: Vec<PathBuf> = std::fs::read_dir(self.mails_folder())
            .expect("failed to list the sink's folder")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let open = self.open_files();
        files.into_iter().filter(|path| !open.contains(path)).collect()
    }

    fn open_files(&self) -> HashSet<PathBuf> {
        let Some(running) = &self.running else { return HashSet::new() };
        std::fs::read_dir(format!("/proc/{}/fd", running.pid()))
            .expect("failed to list the sink's open files")
            .flatten()
            .filter_map(|entry| std::fs::read_link(entry.path()).ok())
            .collect()
    }

    fn mails_folder(&self) -> PathBuf {
        self.folder.path().join("mails")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn still_there(&mut self) {
        let ended = self.running.as_mut().and_then(Running::ended);
        let log = process::read_log(&self.log_file());
        assert!(ended.is_none(), "smtp-sink ended with {ended:?}:\n{log}");
    }
}

impl Mail {
    /// smtp-sink writes the envelope as `X-Mail-Args` and `X-Rcpt-Args`, then a `Received`, in
    /// front of the message, and an empty line behind it.
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("failed to read a mail of the sink");
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let mut mail = Self { from: String::new(), to: Vec::new(), message: String::new() };
        let mut rest = text.as_str();
        while let Some((line, after)) = rest.split_once('\n') {
            if let Some(arguments) = line.strip_prefix("X-Mail-Args: ") {
                mail.from = path_of(arguments);
            } else if let Some(arguments) = line.strip_prefix("X-Rcpt-Args: ") {
                mail.to.push(path_of(arguments));
            } else if !is_envelope(line) {
                break;
            }
            rest = after;
        }
        rest.strip_suffix('\n').unwrap_or(rest).clone_into(&mut mail.message);
        mail
    }

    /// The first header of that name, unfolded; none where the message has none.
    pub fn header(&self, name: &str) -> Option<String> {
        let (headers, _) = self.message.split_once("\n\n")?;
        let unfolded = headers.replace("\n\t", " ").replace("\n ", " ");
        unfolded.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

fn is_envelope(line: &str) -> bool {
    ["X-Client-", "X-Helo-", "Received: from", "\t"].iter().any(|start| line.starts_with(start))
}

/// `<a@b> SIZE=3` → `a@b`.
fn path_of(arguments: &str) -> String {
    let (path, _) = arguments.split_once('>').unwrap_or((arguments, ""));
    path.trim_start_matches('<').to_owned()
}

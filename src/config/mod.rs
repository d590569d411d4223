//! What the operator decides: read from the defaults, a file and the environment ([`load`]),
//! checked by a pure function that reports every problem at once ([`Raw::validate`]), and handed
//! to the rooms as values that need no further looking at ([`Settings`]).

mod bus;
mod check;
mod console;
mod database;
mod dkim;
mod email;
mod http;
mod identity;
mod inbox;
mod intake;
mod keys;
mod log;
mod metrics;
mod outbox;
mod plain;
mod print;
mod problem;
mod sms;
mod sms_providers;
mod telegram;
mod templates;
#[cfg(test)]
mod tests;
mod tree;

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub use self::{
    bus::{BusSettings, NatsAuth, NatsSettings},
    console::ConsoleSettings,
    database::{DatabaseKind, DatabaseSettings},
    dkim::{DkimKey, DkimSettings},
    email::{EmailProvider, EmailSettings, Mailbox, SmtpSettings},
    http::{HttpSettings, Network},
    identity::IdentitySettings,
    inbox::InboxSettings,
    intake::IntakeSettings,
    keys::KeySettings,
    log::{LogFormat, LogSettings},
    metrics::MetricsSettings,
    outbox::OutboxSettings,
    plain::{PlainFallback, PlainSettings},
    print::print_config,
    problem::{ConfigError, ConfigProblem},
    sms::{Hours, SmsProvider, SmsSettings},
    sms_providers::{HttpSmsSettings, OvhSender, OvhSettings, TwilioSender, TwilioSettings},
    telegram::{BotSettings, TelegramMode, TelegramProvider, TelegramSettings},
    templates::TemplateSettings,
};
use self::{check::Check, tree::Tree};

/// The file read where `--config` names none and it exists.
pub const DEFAULT_FILE: &str = "portevoix.toml";

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    pub identity: IdentitySettings,
    pub database: DatabaseSettings,
    pub bus: BusSettings,
    pub keys: KeySettings,
    pub http: HttpSettings,
    pub intake: IntakeSettings,
    pub email: EmailSettings,
    /// None: mails leave unsigned.
    pub dkim: Option<DkimSettings>,
    pub sms: SmsSettings,
    pub telegram: TelegramSettings,
    pub templates: TemplateSettings,
    pub plain: PlainSettings,
    pub outbox: OutboxSettings,
    pub inbox: InboxSettings,
    pub console: ConsoleSettings,
    pub log: LogSettings,
    pub metrics: MetricsSettings,
    /// As read, secrets masked: what [`print_config`] shows.
    in_force: toml::Table,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    identity: identity::RawIdentity,
    database: database::RawDatabase,
    bus: bus::RawBus,
    keys: keys::RawKeys,
    http: http::RawHttp,
    intake: intake::RawIntake,
    email: email::RawEmail,
    dkim: dkim::RawDkim,
    sms: sms::RawSms,
    telegram: telegram::RawTelegram,
    templates: templates::RawTemplates,
    plain: plain::RawPlain,
    outbox: outbox::RawOutbox,
    inbox: inbox::RawInbox,
    console: console::RawConsole,
    log: log::RawLog,
    metrics: metrics::RawMetrics,
}

/// The layers laid over each other, nothing checked but names and types.
#[derive(Clone)]
pub struct Raw(Tree);

/// Reads and checks everything, from the file system and the process's environment.
///
/// # Errors
/// Every problem found.
pub fn load(file: Option<&Path>) -> Result<Settings, ConfigError> {
    Ok(read(file, std::env::vars_os())?.validate()?)
}

/// Reads the layers: the defaults, `file` (or [`DEFAULT_FILE`] where that exists), the variables
/// given, and the files that hold secrets.
///
/// # Errors
/// Where the file can't be read; what is wrong inside it is left to [`Raw::validate`].
pub fn read(
    file: Option<&Path>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Raw, ConfigError> {
    let path = file.map_or_else(|| PathBuf::from(DEFAULT_FILE), Path::to_path_buf);
    let mut tree = Tree::defaults();
    match std::fs::read_to_string(&path) {
        Ok(text) => tree.merge_text(&text, &path.display().to_string()),
        Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(ConfigError::from(vec![ConfigProblem {
                key: String::new(),
                origin: Some(path.display().to_string()),
                what: format!("can't be read: {error}"),
                advice: "check the path given with --config".to_owned(),
            }]));
        }
    }
    // a variable that is not UTF-8 is not one of ours
    let vars = vars
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Raw(tree).with_env(vars).with_secret_files(|path| std::fs::read_to_string(path)))
}

impl Raw {
    /// The defaults with a text in front of them; touches nothing, so a `<key>_file` stays unread.
    #[must_use]
    pub fn from_toml(text: &str) -> Self {
        let mut tree = Tree::defaults();
        tree.merge_text(text, DEFAULT_FILE);
        Self(tree)
    }

    /// Takes in the secrets given as `<key>_file`, with `read` in place of the file system.
    #[must_use]
    pub fn with_secret_files(mut self, read: impl Fn(&Path) -> std::io::Result<String>) -> Self {
        self.0.read_secret_files(read);
        self
    }

    /// Lays `PORTEVOIX_<SECTION>__<KEY>` variables over what is there.
    #[must_use]
    pub fn with_env(mut self, vars: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.merge_env(vars);
        self
    }

    /// Checks everything, without touching a file, the network or the clock.
    ///
    /// # Errors
    /// Every problem there is, names and types included.
    pub fn validate(&self) -> Result<Settings, Vec<ConfigProblem>> {
        let in_force = print::masked(self.0.table());
        let (table, origins, problems) = self.0.clone().into_parts();
        let sections: Sections = match table.try_into() {
            Ok(sections) => sections,
            Err(error) => {
                // names and types were compared with the defaults': this is a net below that one
                let mut check = Check::new(origins, problems);
                let advice = "compare it with config.default.toml";
                let _ = check.fail::<()>("", format!("does not fit: {}", error.message()), advice);
                return Err(check.into_problems());
            }
        };
        let mut check = Check::new(origins, problems);
        let settings = sections.validate(&mut check, in_force);
        match (settings, check.into_problems()) {
            (Ok(settings), problems) if problems.is_empty() => Ok(settings),
            (_, problems) => Err(problems),
        }
    }
}

impl Sections {
    /// Whether real people can be written to, and not only servers of a test on this machine: a
    /// provider elsewhere, or one on this machine (a relaying mail server) and links that lead here.
    fn reaches_citizens(&self) -> bool {
        let sandboxed =
            self.email.is_sandbox() && self.sms.is_sandbox() && self.telegram.is_sandbox();
        let remote = self.email.is_remote() || self.sms.is_remote() || self.telegram.is_remote();
        remote || !sandboxed && !self.http.is_local()
    }

    fn validate(&self, check: &mut Check, in_force: toml::Table) -> check::Checked<Settings> {
        let real = self.reaches_citizens();
        let identity = self.identity.validate(check, real);
        let database = self.database.validate(check);
        let bus = self.bus.validate(check);
        let keys = self.keys.validate(check);
        let http = self.http.validate(check, real);
        let intake = self.intake.validate(check);
        let email = self.email.validate(check, real);
        let from = email.as_ref().ok().map(|email| email.from.domain());
        let dkim = self.dkim.validate(check, from);
        let sms = self.sms.validate(check);
        let telegram = self.telegram.validate(check);
        let plain = self.plain.validate(check);
        let outbox = self.outbox.validate(check);
        let inbox = self.inbox.validate(check);
        let console = self.console.validate(check);
        let log = self.log.validate(check);
        Ok(Settings {
            identity: identity?,
            database: database?,
            bus: bus?,
            keys: keys?,
            http: http?,
            intake: intake?,
            email: email?,
            dkim: dkim?,
            sms: sms?,
            telegram: telegram?,
            templates: self.templates.validate(),
            plain: plain?,
            outbox: outbox?,
            inbox: inbox?,
            console: console?,
            log: log?,
            metrics: self.metrics.validate(),
            in_force,
        })
    }
}

impl Settings {
    /// The defaults with a text in front of them, for tests and tools.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Ok(Raw::from_toml(text).validate()?)
    }

    /// Whether any channel reaches people; none does in the sandbox.
    #[must_use]
    pub fn has_provider(&self) -> bool {
        !matches!(self.email.provider, EmailProvider::Sandbox)
            || !matches!(self.sms.provider, SmsProvider::Sandbox)
            || !matches!(self.telegram.provider, TelegramProvider::Sandbox)
    }

    /// What `demo` runs with: everything in `dir`, nothing that leaves the machine, text messages
    /// at any hour. With port 0 the caller corrects `http.public_url` once it listens.
    #[must_use]
    pub fn demo(dir: &Path, listen: Option<SocketAddr>) -> Self {
        let path = |name: &str| dir.join(name).display().to_string();
        let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let mut tree = Tree::defaults();
        let file = path("portevoix.db").replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        tree.merge_env([
            ("PORTEVOIX_DATABASE__URL".to_owned(), format!("sqlite://{file}")),
            ("PORTEVOIX_KEYS__FILE".to_owned(), path("portevoix.key")),
            ("PORTEVOIX_HTTP__LISTEN".to_owned(), listen.to_string()),
            ("PORTEVOIX_HTTP__PUBLIC_URL".to_owned(), demo_url(listen)),
            ("PORTEVOIX_SMS__QUIET_HOURS".to_owned(), "false".to_owned()),
        ]);
        match Raw(tree).validate() {
            Ok(settings) => settings,
            Err(problems) => unreachable!("the demo's settings: {}", ConfigError::from(problems)),
        }
    }
}

/// Where a browser on this machine finds the demo, also when it listens on every address.
fn demo_url(listen: SocketAddr) -> String {
    let ip = listen.ip();
    if ip.is_unspecified() || ip.is_loopback() && ip.is_ipv4() {
        format!("http://127.0.0.1:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

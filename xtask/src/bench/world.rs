//! What a run stands on: a folder, the citizens and the event.

use std::{
    fmt::Write,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Id of the event.
pub const EVENT: &str = "bench-ouverture";

/// A folder of the run's own. It lies in the system's temporary folder, because servers that run
/// under other users can't reach a target folder in somebody's home.
pub struct World {
    pub folder: PathBuf,
    pub recipients: u32,
}

impl World {
    pub fn new(name: &str, recipients: u32) -> Result<Self> {
        let folder = Self::all().join(name);
        make_open_folder(&folder)?;
        let world = Self { folder, recipients };
        fs::write(world.citizens(), citizens(recipients)).context("failed to write citizens")?;
        fs::write(world.event(), event()).context("failed to write the event")?;
        Ok(world)
    }

    /// Where the folders of this process lie.
    pub fn all() -> PathBuf {
        std::env::temp_dir().join(format!("portevoix-bench-{}", std::process::id()))
    }

    /// For a run that went well; after another, its logs are there to be read.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.folder).context("failed to remove a run's folder")?;
        let _others_may_be_in_it = fs::remove_dir(Self::all());
        Ok(())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn citizens(&self) -> PathBuf {
        self.path("citizens.csv")
    }

    pub fn event(&self) -> PathBuf {
        self.path("event.json")
    }

    pub fn sqlite(&self) -> String {
        format!("sqlite://{}", self.path("portevoix.db").display())
    }
}

/// A folder that servers under other users can look into.
pub fn make_open_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("failed to make {}", path.display()))?;
    fs::set_permissions(path, PermissionsExt::from_mode(0o777)).context("failed to open a folder")
}

/// A free port on loopback.
pub fn port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a free port")?;
    Ok(listener.local_addr().context("failed to read a port")?.port())
}

/// Asks every few milliseconds until there is something; `what` names it where there never is.
pub fn wait<T>(
    what: &str,
    deadline: Duration,
    mut state: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = state()? {
            return Ok(found);
        }
        if start.elapsed() > deadline {
            bail!("waited {} s in vain for {what}", deadline.as_secs());
        }
        #[expect(clippy::disallowed_methods, reason = "a bench outside the daemon, which polls")]
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn citizens(count: u32) -> String {
    let mut csv = "external_id,email,phone,telegram,first_name,commune,language,register,channels,\
                   themes,groups,frequency,age_band,consent_at,consent_source\n"
        .to_owned();
    for number in 1..=count {
        // writing to a String can't fail
        let _ = writeln!(
            csv,
            "b{number},citoyen{number}@example.org,,,Camille,59350,fr,standard,email,,,immediate,\
             adult,2026-01-05T09:00:00+01:00,bench"
        );
    }
    csv
}

/// A launch as long as a real one: about 2 KB of text.
fn event() -> String {
    let paragraph = "La Métropole prépare un grand parc au sud de Lille, sur douze hectares de \
        friche. Vous pouvez dire ce que vous en attendez : des chemins, des jeux, des jardins, de \
        l’ombre et de l’eau. Chaque avis est lu, et la Métropole répondra à chacun avant la \
        décision.";
    let body = [paragraph; 7].join("\\n\\n");
    format!(
        r#"{{ "specversion": "1.0", "id": "{EVENT}", "source": "/mel/concertation",
  "type": "fr.lillemetropole.participation.consultation.opened", "time": "2026-01-05T09:00:00+01:00",
  "datacontenttype": "application/json",
  "data": {{
    "consultation": {{ "id": "parc-sud", "title": {{ "fr": "Un parc au sud de Lille" }},
      "url": "https://example.org/parc-sud", "opens": "2026-01-05", "closes": "2099-12-31",
      "contact": {{ "service": "Concertation et citoyenneté", "email": "concertation@example.org" }} }},
    "audience": {{}},
    "message": {{ "fr": {{ "title": "Un parc au sud de Lille : donnez votre avis", "body": "{body}" }} }},
    "question": {{ "text": {{ "fr": "Que faut-il en premier ?" }},
      "options": [ {{ "key": "1", "label": {{ "fr": "Des arbres" }} }}, {{ "key": "2", "label": {{ "fr": "Des jeux" }} }} ] }} }} }}
"#
    )
}

//! The key that seals addresses: read, made where it may be, and checked against the database.

use std::{io::Write, path::Path};

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;

use crate::{clock::Clock, config::KeySettings, model::seal::Sealer, store::Store};

/// Name of the fact that tells which key a database is sealed with.
const FACT: &str = "key";

/// The sealer of this database. A key file is made (mode 0600) where it is missing and the
/// database holds nothing sealed.
///
/// # Errors
/// Where the key is missing, malformed or another one than the database was sealed with.
pub async fn sealer(keys: &KeySettings, store: &Store, clock: &Clock) -> anyhow::Result<Sealer> {
    let sealed_with = store.fact(FACT).await?;
    let (key, place) = match keys {
        KeySettings::Value(value) => (decode(value.expose_secret())?, "keys.value".to_owned()),
        KeySettings::File(file) => {
            let place = file.display().to_string();
            match std::fs::read_to_string(file) {
                Ok(text) => (decode(text.trim()).with_context(|| format!("in {place}"))?, place),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if sealed_with.is_some() {
                        bail!(
                            "the key file {place} is missing, and {} holds addresses sealed with it: \
                             put the file back from its backup, or set keys.file",
                            store.shown_url()
                        );
                    }
                    (make(file, clock)?, place)
                }
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("failed to read the key file {place}"));
                }
            }
        }
    };
    let sealer = Sealer::new(&key, clock.clone());
    let in_force = store.settle_fact(FACT, sealer.check_value()).await?;
    if in_force != sealer.check_value() {
        bail!(
            "the key in {place} is not the one that sealed the addresses in {}: put the right key \
             there, or use another database",
            store.shown_url()
        );
    }
    Ok(sealer)
}

fn decode(text: &str) -> anyhow::Result<[u8; 32]> {
    let bytes = STANDARD.decode(text).context("the key is not base64")?;
    bytes.try_into().map_err(|_| anyhow::anyhow!("the key is not 32 bytes in base64"))
}

fn make(file: &Path, clock: &Clock) -> anyhow::Result<[u8; 32]> {
    let key = clock.random::<32>();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options
        .open(file)
        .with_context(|| format!("failed to make the key file {}", file.display()))?;
    written.write_all(format!("{}\n", STANDARD.encode(key)).as_bytes())?;
    written.sync_all()?;
    tracing::info!(file = %file.display(), "made a key; keep a copy of it apart from the database");
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_made_once_kept_private_and_never_swapped() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let store = Store::connect(&url, 4).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Clock::system();
        let file = folder.path().join("a.key");
        let keys = KeySettings::File(file.clone());
        let sealed = sealer(&keys, &store, &clock).await.unwrap().seal(b"x");
        assert_eq!(sealer(&keys, &store, &clock).await.unwrap().open(&sealed).unwrap(), b"x");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_file(&file).unwrap();
        let missing = sealer(&keys, &store, &clock).await.unwrap_err().to_string();
        assert!(missing.contains("is missing"), "{missing}");
        std::fs::write(&file, STANDARD.encode([7_u8; 32])).unwrap();
        let other = sealer(&keys, &store, &clock).await.unwrap_err().to_string();
        assert!(other.contains("is not the one"), "{other}");
    }
}

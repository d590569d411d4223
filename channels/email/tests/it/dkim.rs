use std::{
    collections::HashMap,
    path::PathBuf,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt,
    common::{parse::TxtRecordParser, verify::DomainKey},
    hickory_resolver::config::{ResolverConfig, ResolverOpts},
};
use portevoix_email::{DkimConfig, DkimKey, Email};

use crate::samples::{config, recipient, shaper, standard};

const NOW_MS: i64 = 1_795_424_400_000;

/// Keys made by OpenSSL in a folder of their own, and their DNS records.
struct Keys {
    folder: PathBuf,
    config: DkimConfig,
    dns: Dns,
}

impl Drop for Keys {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn keys(name: &str) -> Keys {
    let folder = std::env::temp_dir().join(format!("portevoix-dkim-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut dns = Dns::default();
    let mut make = |selector: &str, algorithm: &[&str], kind: &str, skip: usize| {
        let file = folder.join(format!("{selector}.pem"));
        let path = file.to_str().unwrap();
        openssl(&[&["genpkey", "-out", path], algorithm].concat());
        let public = String::from_utf8(openssl(&["pkey", "-in", path, "-pubout"])).unwrap();
        let base64: String = public.lines().filter(|line| !line.starts_with('-')).collect();
        let record = format!("v=DKIM1; k={kind}; p={}", &base64[skip..]);
        let key = DomainKey::parse(record.as_bytes()).unwrap();
        dns.0.get_mut().unwrap().insert(
            format!("{selector}._domainkey.mel.example.").into(),
            Txt::DomainKey(key.into()),
        );
        DkimKey { selector: selector.to_owned(), file }
    };
    let rsa = make("r2026", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "rsa", 0);
    // RFC 8463 publishes the 32 bytes of the key without 12 bytes of ASN.1: 16 base64 digits.
    let ed25519 = make("e2026", &["-algorithm", "ED25519"], "ed25519", 16);
    let config = DkimConfig { domain: "mel.example".to_owned(), rsa, ed25519: Some(ed25519) };
    Keys { folder, config, dns }
}

/// The only DNS there is in these tests.
#[derive(Default)]
struct Dns(Mutex<HashMap<Box<str>, Txt>>);

impl ResolverCache<Box<str>, Txt> for Dns {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
        Q: std::hash::Hash + Eq + ?Sized,
    {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
        Q: std::hash::Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// What mail-auth's verifier says of each signature.
async fn verified(mail: &str, dns: &Dns) -> Vec<bool> {
    let resolver =
        MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
    let parsed = AuthenticatedMessage::parse(mail.as_bytes()).unwrap();
    let outputs = resolver.verify_dkim(Parameters::new(&parsed).with_txt_cache(dns)).await;
    outputs.iter().map(|output| *output.result() == DkimResult::Pass).collect()
}

async fn signed(keys: &Keys) -> (Email, String) {
    let mut config = config("smtp://127.0.0.1:1");
    config.dkim = Some(keys.config.clone());
    let email = Email::new(config).unwrap();
    let content = shaper().shape(&standard(), &recipient()).unwrap();
    let mail = email.message(&content, NOW_MS).await.unwrap();
    (email, mail)
}

#[tokio::test]
async fn both_signatures_hold_until_something_signed_changes() {
    let keys = keys("holds");
    let (_, mail) = signed(&keys).await;
    assert_eq!(verified(&mail, &keys.dns).await, [true, true], "{mail}");
    let unfolded = mail.split("\r\n\r\n").next().unwrap().replace("\r\n\t", "");
    for algorithm in ["a=ed25519-sha256", "a=rsa-sha256"] {
        let line = unfolded.lines().find(|line| line.contains(algorithm)).unwrap();
        assert!(line.contains("c=relaxed/relaxed") && !line.contains("; l="), "{line}");
        let names = line.split("h=").nth(1).unwrap().split(';').next().unwrap();
        let names: Vec<&str> = names.split(':').map(str::trim).collect();
        for (name, times) in [("From", 2), ("List-Unsubscribe", 1), ("List-Unsubscribe-Post", 1)] {
            assert_eq!(names.iter().filter(|one| **one == name).count(), times, "{line}");
        }
    }
    let changes = [
        ("another From", format!("From: chef@mel.example\r\n{mail}")),
        ("the subject", mail.replacen("Subject: Un parc", "Subject: Une gare", 1)),
        ("the body", mail.replacen("12 hectares", "13 hectares", 1)),
        ("where to leave", mail.replacen("/u/mfr", "/u/abc", 1)),
        ("how to leave", mail.replacen("One-Click", "Two-Click", 1)),
    ];
    for (what, changed) in changes {
        assert_ne!(changed, mail, "{what}");
        assert_eq!(verified(&changed, &keys.dns).await, [false, false], "{what}");
    }
    // What relaxed canonicalization allows a relay to do.
    let relayed =
        format!("Received: by relay\r\n{}\r\n", mail.replacen("Subject: ", "Subject:  ", 1));
    assert_eq!(verified(&relayed, &keys.dns).await, [true, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_leaves_the_async_threads_alone() {
    let keys = keys("speed");
    let (email, _) = signed(&keys).await;
    let email = std::sync::Arc::new(email);
    let content = std::sync::Arc::new(shaper().shape(&standard(), &recipient()).unwrap());
    let start = Instant::now();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let (email, content) = (std::sync::Arc::clone(&email), std::sync::Arc::clone(&content));
            tokio::spawn(async move { email.message(&content, NOW_MS).await.unwrap().len() })
        })
        .collect();
    // The async threads stay free while 200 signatures wait for the cores.
    let mut slowest = Duration::ZERO;
    for task in tasks {
        let before = Instant::now();
        tokio::task::yield_now().await;
        slowest = slowest.max(before.elapsed());
        assert!(task.await.unwrap() > 10_000);
    }
    let each = start.elapsed() / 200;
    println!("shape, build and two signatures: {each:?} a mail, slowest turn {slowest:?}");
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}

#[test]
fn a_key_that_cannot_sign_is_named_at_the_start() {
    let mut keys = keys("wrong");
    let ed25519 = keys.config.ed25519.take().unwrap();
    for (file, word) in
        [(ed25519.file, "e2026.pem"), ("/nowhere/key.pem".into(), "/nowhere/key.pem")]
    {
        let mut config = config("smtp://127.0.0.1:1");
        keys.config.rsa.file = file;
        config.dkim = Some(keys.config.clone());
        let error = Email::new(config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

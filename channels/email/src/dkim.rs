//! DKIM (RFC 6376), with Ed25519 (RFC 8463) beside RSA where there is a key.

use std::{fmt, path::PathBuf, sync::Arc};

use mail_auth::{
    common::{
        crypto::{Ed25519Key, RsaKey, Sha256},
        headers::HeaderWriter,
    },
    dkim::{DkimSigner, Done},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use tokio::sync::Semaphore;

use crate::error::EmailError;

/// A private key and the name under which its public half stands in the DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    pub selector: String,
    /// PEM: PKCS#8, or PKCS#1 for RSA.
    pub file: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimConfig {
    /// `d=`: the From domain or one above it, for DMARC.
    pub domain: String,
    /// At least 2048 bits.
    pub rsa: DkimKey,
    pub ed25519: Option<DkimKey>,
}

/// The fields that are signed, RFC 6376 section 5.4.1 and RFC 8058 section 4. From stands twice:
/// a second From put in later breaks the signature. So do the others that are absent.
const SIGNED: [&str; 17] = [
    "From",
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
    "Auto-Submitted",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
];

struct Signers {
    rsa: DkimSigner<RsaKey<Sha256>, Done>,
    ed25519: Option<DkimSigner<Ed25519Key, Done>>,
}

pub(crate) struct Dkim {
    signers: Arc<Signers>,
    /// A signature is pure computation: more of them at once than cores only wait on each other.
    cores: Arc<Semaphore>,
    names: String,
}

impl fmt::Debug for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dkim({})", self.names)
    }
}

impl Dkim {
    pub(crate) fn new(config: DkimConfig) -> Result<Self, EmailError> {
        let DkimConfig { domain, rsa, ed25519 } = config;
        let mut names = format!("{}._domainkey.{domain}", rsa.selector);
        let wrong = |key: &DkimKey, why: String| EmailError::DkimKey {
            file: key.file.display().to_string(),
            why,
        };
        let read = |key: &DkimKey| {
            PrivateKeyDer::from_pem_file(&key.file).map_err(|error| wrong(key, error.to_string()))
        };
        let rsa_key = RsaKey::<Sha256>::from_key_der(read(&rsa)?)
            .map_err(|error| wrong(&rsa, error.to_string()))?;
        let rsa_signer =
            DkimSigner::from_key(rsa_key).domain(&domain).selector(rsa.selector).headers(SIGNED);
        let ed25519 = match ed25519 {
            None => None,
            Some(key) => {
                let der = read(&key)?;
                let signing = Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_der())
                    .map_err(|error| wrong(&key, error.to_string()))?;
                names = format!("{names} and {}._domainkey.{domain}", key.selector);
                let signer = DkimSigner::from_key(signing).domain(&domain);
                Some(signer.selector(key.selector).headers(SIGNED))
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            signers: Arc::new(Signers { rsa: rsa_signer, ed25519 }),
            cores: Arc::new(Semaphore::new(cores)),
            names,
        })
    }

    /// `selector._domainkey.domain` of each key.
    pub(crate) fn names(&self) -> &str {
        &self.names
    }

    /// Puts a signature of each key before the mail, computed off the async threads.
    pub(crate) async fn sign(&self, mail: String) -> Result<String, String> {
        let permit = Arc::clone(&self.cores).acquire_owned().await.map_err(|e| e.to_string())?;
        let signers = Arc::clone(&self.signers);
        let signing = tokio::task::spawn_blocking(move || {
            let signed = signers.sign(&mail);
            drop(permit);
            signed
        });
        signing.await.map_err(|error| format!("signing stopped: {error}"))?
    }
}

impl Signers {
    fn sign(&self, mail: &str) -> Result<String, String> {
        let failed = |error: mail_auth::Error| format!("can't sign with DKIM: {error}");
        let mut signed = String::with_capacity(mail.len() + 2048);
        if let Some(signer) = &self.ed25519 {
            signed.push_str(&signer.sign(mail.as_bytes()).map_err(failed)?.to_header());
        }
        signed.push_str(&self.rsa.sign(mail.as_bytes()).map_err(failed)?.to_header());
        signed.push_str(mail);
        Ok(signed)
    }
}

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use portevoix_contract::Outcome;
use portevoix_email::{EmailError, SmtpPool, SmtpServer, SmtpTimes};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use crate::sink::{Protection, Scripted};

/// A certificate for `localhost` that OpenSSL made, in a folder of its own.
struct Certificate {
    folder: PathBuf,
}

impl Certificate {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("portevoix-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&folder)
            .output()
            .expect("openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    fn acceptor(&self) -> TlsAcceptor {
        let chain = vec![CertificateDer::from_pem_file(self.file()).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.folder.join("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn pool(url: &str, ca: Option<&Path>) -> SmtpPool {
    let server = SmtpServer::new(&url.to_owned().into(), ca, Some("g")).unwrap();
    SmtpPool::new(server, 2, SmtpTimes::default())
}

#[tokio::test]
async fn mails_go_over_starttls_and_over_tls_from_the_first_byte() {
    let certificate = Certificate::new("both");
    for (implicit, form) in
        [(false, "smtp://localhost:PORT?tls=required"), (true, "smtps://localhost:PORT")]
    {
        let tls = certificate.acceptor();
        let protection =
            if implicit { Protection::Implicit(tls) } else { Protection::StartTls(tls) };
        let server = Scripted::protected(Arc::new(|_, _| None), protection).await;
        let url = form.replace("PORT", &server.port.to_string());
        let trusting = pool(&url, Some(&certificate.file()));
        for _ in 0..3 {
            let outcome = trusting.send_raw("b@x.fr", "a@x.fr", b"Subject: x\r\n\r\nx\r\n").await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{form}: {outcome:?}");
        }
        assert!(trusting.probe().await.unwrap().contains("(TLS, no login"));
        assert_eq!(server.got.lock().unwrap().mails.len(), 3);

        // A certificate that nobody vouches for is not accepted, and no mail goes in the clear.
        let outcome = pool(&url, None).send_raw("b@x.fr", "a@x.fr", b"x\r\n").await;
        assert!(matches!(outcome, Outcome::Later { .. }), "{form}: {outcome:?}");
        assert_eq!(server.got.lock().unwrap().mails.len(), 3);
    }
}

#[test]
fn a_file_without_certificate_is_named() {
    let file = std::env::temp_dir().join(format!("portevoix-ca-{}.pem", std::process::id()));
    std::fs::write(&file, "nothing").unwrap();
    for url in ["smtps://localhost", "smtp://localhost"] {
        let error = SmtpServer::new(&url.to_owned().into(), Some(&file), None).unwrap_err();
        assert!(matches!(error, EmailError::Certificate { .. }), "{url}: {error}");
        assert!(error.to_string().contains("portevoix-ca"));
    }
    std::fs::remove_file(file).unwrap();
}

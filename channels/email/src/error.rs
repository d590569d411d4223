/// Why this channel can't start. Fits after "failed to start the email channel: ".
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    #[error("`{setting}` {why}")]
    Setting { setting: &'static str, why: String },
    #[error("the mail layout does not compile: {0}")]
    Layout(String),
    #[error("the DKIM key {file} can't be used: {why}")]
    DkimKey { file: String, why: String },
    #[error("the certificate file {file} can't be used: {why}")]
    Certificate { file: String, why: String },
    #[error("TLS can't be set up: {0}")]
    Tls(#[source] rustls::Error),
    #[error("STARTTLS can't be set up: {0}")]
    StartTls(String),
    #[error("{address} can't be listened on: {source}")]
    Listen { address: String, source: std::io::Error },
}

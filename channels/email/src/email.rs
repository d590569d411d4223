use std::path::PathBuf;

use async_trait::async_trait;
use portevoix_contract::{Channel, Limits, Message, Outbound, Outcome, Recipient, Unshapeable};
use secrecy::SecretString;

use crate::{
    content::EmailContent,
    dkim::{Dkim, DkimConfig},
    error::EmailError,
    mime,
    shape::{EmailShaper, ShaperConfig},
    smtp::{SmtpPool, SmtpServer, SmtpTimes},
};

/// The channel's settings.
#[derive(Debug)]
pub struct EmailConfig {
    pub shaper: ShaperConfig,
    /// As [`SmtpServer::new`] reads it.
    pub smtp_url: SecretString,
    /// Further root certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// The name said in EHLO; the machine's own where none is given.
    pub hello: Option<String>,
    /// Connections at once.
    pub connections: usize,
    /// Mails a second that the server bears, if it has a limit.
    pub per_second: Option<f64>,
    pub times: SmtpTimes,
    pub dkim: Option<DkimConfig>,
}

/// Email over SMTP.
#[derive(Debug)]
pub struct Email {
    shaper: EmailShaper,
    pool: SmtpPool,
    dkim: Option<Dkim>,
    limits: Limits,
}

impl Email {
    /// Compiles the layout, reads keys and certificates; opens no connection yet.
    ///
    /// # Errors
    /// [`EmailError`] where a setting can't work.
    pub fn new(config: EmailConfig) -> Result<Self, EmailError> {
        let server =
            SmtpServer::new(&config.smtp_url, config.ca_file.as_deref(), config.hello.as_deref())?;
        let connections = config.connections.max(1);
        Ok(Self {
            shaper: EmailShaper::new(config.shaper)?,
            pool: SmtpPool::new(server, connections, config.times),
            dkim: config.dkim.map(Dkim::new).transpose()?,
            // Twice as many as connections: while some wait for the server, others are shaped,
            // built and signed.
            limits: Limits { per_second: config.per_second, in_flight: connections * 2 },
        })
    }

    /// The connections, for whoever has ready-made bytes to send.
    #[must_use]
    pub fn pool(&self) -> &SmtpPool {
        &self.pool
    }

    /// The mail as it goes out: signed, with its Date.
    ///
    /// # Errors
    /// Where signing fails.
    pub async fn message(&self, content: &EmailContent, now_ms: i64) -> Result<String, String> {
        let mail = mime::build(content, now_ms);
        match &self.dkim {
            Some(dkim) => dkim.sign(mail).await,
            None => Ok(mail),
        }
    }
}

#[async_trait]
impl Channel for Email {
    type Content = EmailContent;

    fn name(&self) -> &'static str {
        "email"
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn shape(&self, message: &Message, recipient: &Recipient) -> Result<EmailContent, Unshapeable> {
        self.shaper.shape(message, recipient)
    }

    async fn send(&self, outbound: &Outbound<EmailContent>) -> Outcome {
        let content = &outbound.content;
        let mail = match self.message(content, outbound.now_ms).await {
            Ok(mail) => mail,
            Err(why) => return Outcome::Later { not_before_ms: None, why },
        };
        match self.pool.deliver(&content.envelope_from, &outbound.to, &mail).await {
            Ok(_) => Outcome::Accepted { reference: content.message_id.clone() },
            Err(failure) => failure.into_outcome(Some(outbound.now_ms)),
        }
    }

    async fn probe(&self) -> Result<String, String> {
        let server = self.pool.probe().await?;
        Ok(match &self.dkim {
            Some(dkim) => format!("{server}; signs with DKIM as {}", dkim.names()),
            None => format!("{server}; does not sign with DKIM"),
        })
    }
}

//! Email: a message is shaped into HTML and text, sent over SMTP, answered over LMTP.
//!
//! [`EmailShaper`] is the pure half, [`Email`] adds the sending, [`SmtpPool`] are its connections,
//! and [`LmtpSource`] hands over what came in.

mod content;
mod dkim;
mod email;
mod error;
mod html;
mod layout;
mod lmtp;
mod mime;
mod shape;
mod smtp;
mod text;
mod words;

pub use content::EmailContent;
pub use dkim::{DkimConfig, DkimKey};
pub use email::{Email, EmailConfig};
pub use error::EmailError;
pub use lmtp::{LmtpConfig, LmtpSource};
pub use shape::{EmailShaper, Identity, ShaperConfig};
pub use smtp::{SmtpPool, SmtpServer, SmtpTimes, TlsMode};

//! A message and a recipient become a mail. Pure: no clock, no network.

use minijinja::Value;
use portevoix_contract::{Action, Message, Recipient, Unshapeable};

use crate::{
    content::EmailContent,
    error::EmailError,
    html::{Style, Writer, escape},
    layout::{Filling, Layout, LayoutLink},
    mime::one_line,
    text,
    words::Words,
};

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The authority's name, at the head of each mail and in `List-Id`.
    pub name: String,
    /// Lines at the foot of each mail: service, postal address, telephone.
    pub signature: Vec<String>,
    /// Absolute address of the accessibility statement.
    pub accessibility_url: Option<String>,
    /// Absolute address of the personal-data notice.
    pub privacy_url: Option<String>,
}

/// What every mail has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShaperConfig {
    pub from_name: String,
    /// addr-spec; its domain should align with the DKIM domain for DMARC.
    pub from_address: String,
    /// Domain of `r+<token>@`, `b+<token>@`, `u+<token>@` and of Message-IDs.
    pub reply_domain: String,
    /// An MJML layout in place of the built-in one.
    pub layout: Option<String>,
    pub identity: Identity,
}

/// The pure half of the channel: what `preview` and the sandbox use without any SMTP.
#[derive(Debug)]
pub struct EmailShaper {
    config: ShaperConfig,
    from: String,
    layout: Layout,
}

impl EmailShaper {
    /// Compiles the layout once; shaping a mail is then a few dozen microseconds.
    ///
    /// # Errors
    /// [`EmailError::Setting`] where an address or domain can't be one, [`EmailError::Layout`]
    /// where the layout does not compile.
    pub fn new(config: ShaperConfig) -> Result<Self, EmailError> {
        if !is_addr_spec(&config.from_address) {
            let why = format!("is not an email address: {:?}", config.from_address);
            return Err(EmailError::Setting { setting: "email.from", why });
        }
        if !is_domain(&config.reply_domain) {
            let why = format!("is not a domain: {:?}", config.reply_domain);
            return Err(EmailError::Setting { setting: "email.reply_domain", why });
        }
        let layout = Layout::compile(config.layout.as_deref())?;
        let name = one_line(&config.from_name).replace(['<', '>', '"'], "");
        let from = if name.is_empty() {
            config.from_address.clone()
        } else {
            format!("{name} <{}>", config.from_address)
        };
        Ok(Self { config, from, layout })
    }

    /// # Errors
    /// [`Unshapeable`] where the recipient's address or token can't stand in a mail.
    pub fn shape(
        &self,
        message: &Message,
        recipient: &Recipient,
    ) -> Result<EmailContent, Unshapeable> {
        let unshapeable = |why: String| Unshapeable { channel: "email", why };
        if !is_addr_spec(&recipient.address) {
            return Err(unshapeable("the recipient's address is not an email address".to_owned()));
        }
        if recipient.token.is_empty()
            || !recipient.token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        {
            return Err(unshapeable("the delivery's token can't stand in an address".to_owned()));
        }
        let domain = &self.config.reply_domain;
        let subject = one_line(&message.title);
        let reply_to = format!("r+{}@{domain}", recipient.token);
        let words = Words::of(&message.language);
        let html = self
            .html(message, recipient, &subject, &reply_to, words)
            .map_err(|error| unshapeable(format!("the layout fails: {error}")))?;
        Ok(EmailContent {
            from: self.from.clone(),
            to: recipient.address.clone(),
            envelope_from: format!("b+{}@{domain}", recipient.token),
            message_id: format!("<{}@{domain}>", recipient.token),
            text: text::text_part(message, recipient, words, &self.config.identity.signature),
            headers: self.headers(message, recipient),
            reply_to,
            subject,
            html,
        })
    }

    fn html(
        &self,
        message: &Message,
        recipient: &Recipient,
        subject: &str,
        reply_to: &str,
        words: &Words,
    ) -> Result<String, minijinja::Error> {
        let style = Style::of(message.register);
        let mut body = Writer::new(style, 4096);
        if let Some(greeting) = text::greeting(message, recipient) {
            body.paragraph(&greeting);
        }
        body.blocks(&message.blocks);
        actions(&mut body, message, subject, reply_to, words);
        let mut footer = Writer::new(style, 512);
        footer.blocks(&message.footer);
        let identity = &self.config.identity;
        let links = [
            (words.view_page, message.page.as_deref()),
            (words.preferences, recipient.preferences.as_deref()),
            (words.unsubscribe, recipient.unsubscribe.as_deref()),
            (words.accessibility, identity.accessibility_url.as_deref()),
            (words.privacy, identity.privacy_url.as_deref()),
        ];
        self.layout.render(
            message.register,
            &Filling {
                lang: message.language.as_str(),
                title: escaped(subject),
                identity: escaped(&identity.name),
                claim: words.claim(message.text_state).map(escaped),
                body: Value::from_safe_string(body.out),
                footer: Value::from_safe_string(footer.out),
                signature: identity.signature.iter().map(|line| escaped(line)).collect(),
                links: links
                    .into_iter()
                    .filter_map(|(label, url)| {
                        Some(LayoutLink { label: escaped(label), url: escaped(url?) })
                    })
                    .collect(),
            },
        )
    }

    fn headers(&self, message: &Message, recipient: &Recipient) -> Vec<(String, String)> {
        let mut headers = Vec::with_capacity(8);
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        let domain = &self.config.reply_domain;
        if message.broadcast {
            let topic = topic_of(&message.topic);
            let name = one_line(&self.config.identity.name).replace(['<', '>', '"'], "");
            add("List-Id", format!("{name} <{topic}.{domain}>"));
            if let Some(url) = &recipient.unsubscribe {
                // RFC 8058: the address takes a POST without cookies; both fields are signed.
                let url = one_line(url);
                let mailto = format!("mailto:u+{}@{domain}?subject=unsubscribe", recipient.token);
                add("List-Unsubscribe", format!("<{url}>, <{mailto}>"));
                add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned());
            }
            let register = message.register.as_str();
            add("Feedback-ID", format!("{topic}:{}:{register}:portevoix", message.language));
            add("Auto-Submitted", "auto-generated".to_owned());
        } else {
            // RFC 3834: an answer to something the citizen did.
            add("Auto-Submitted", "auto-replied".to_owned());
        }
        if let Some(id) = recipient.in_reply_to.as_deref().map(one_line).filter(|id| is_msg_id(id))
        {
            add("In-Reply-To", id.clone());
            add("References", id);
        }
        add("Content-Language", message.language.to_string());
        headers
    }
}

/// Escaped here rather than by the template engine, which also writes `/` as an entity and makes
/// addresses hard to read for people and for link scanners.
fn escaped(text: &str) -> Value {
    let mut out = String::with_capacity(text.len() + 8);
    escape(&mut out, text);
    Value::from_safe_string(out)
}

fn actions(body: &mut Writer<'_>, message: &Message, subject: &str, reply_to: &str, words: &Words) {
    let options = message.actions.iter().any(|action| matches!(action, Action::Choose { .. }));
    let answers = message.actions.iter().any(|action| matches!(action, Action::Answer { .. }));
    if options || answers {
        body.paragraph(words.just_reply);
    }
    if options {
        words.choose.iter().for_each(|line| body.paragraph(line));
    }
    for action in &message.actions {
        match action {
            Action::Answer { label } => body.button(label, &mailto(reply_to, subject, None)),
            Action::Choose { key, label } => {
                let line = format!("{key} - {label}");
                body.button(label, &mailto(reply_to, subject, Some(&line)));
            }
            Action::Link { label, url } if text::is_openable(url) => body.button(label, url),
            Action::Link { label, .. } => body.paragraph(label),
        }
    }
}

/// RFC 6068. The address holds letters, digits, `+`, `-`, `.` and `@` only.
fn mailto(to: &str, subject: &str, body: Option<&str>) -> String {
    let mut out = format!("mailto:{to}?subject=Re%3A%20");
    percent_encode(&mut out, subject);
    if let Some(body) = body {
        out.push_str("&body=");
        percent_encode(&mut out, body);
    }
    out
}

fn percent_encode(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn topic_of(topic: &str) -> String {
    let clean: String =
        topic.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '.').collect();
    let clean = clean.trim_matches('.');
    if clean.is_empty() { "participation".to_owned() } else { clean.to_owned() }
}

fn is_msg_id(id: &str) -> bool {
    id.len() <= 500
        && id.is_ascii()
        && id.starts_with('<')
        && id.ends_with('>')
        && id.contains('@')
        && !id.contains(' ')
}

/// Enough of RFC 5321 to keep what would break a command or a header out: one `@`-separated pair
/// without white space, control characters, brackets or quotes, 254 bytes at most.
pub(crate) fn is_addr_spec(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    address.len() <= 254
        && (1..=64).contains(&local.len())
        && is_domain(domain)
        && !local
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@".contains(c))
}

fn is_domain(domain: &str) -> bool {
    !domain.is_empty()
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with('.')
        && !domain.contains("..")
        && domain.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
}

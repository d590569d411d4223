use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::check::{Check, Checked, given, given_secret};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDkim {
    domain: String,
    selector: String,
    rsa_key: SecretString,
    ed25519_selector: String,
    ed25519_key: SecretString,
}

/// How mails are signed (RFC 6376). At least one key is there.
#[derive(Debug, Clone)]
pub struct DkimSettings {
    /// `d=`, in lower case.
    pub domain: String,
    pub rsa: Option<DkimKey>,
    pub ed25519: Option<DkimKey>,
}

#[derive(Debug, Clone)]
pub struct DkimKey {
    /// `s=`
    pub selector: String,
    /// PEM; its label was looked at, the key was not parsed.
    pub pem: SecretString,
}

impl RawDkim {
    /// `from`: the domain of `email.from`, where that is in order.
    pub(super) fn validate(
        &self,
        check: &mut Check,
        from: Option<&str>,
    ) -> Checked<Option<DkimSettings>> {
        if given(&self.domain).is_none() {
            return if given_secret(&self.rsa_key).or(given_secret(&self.ed25519_key)).is_some() {
                check.fail("dkim.domain", "is missing", "give the domain that the key signs for")
            } else {
                Ok(None)
            };
        }
        let domain = check.domain("dkim.domain", &self.domain);
        let rsa = key(check, ["dkim.rsa_key", "dkim.selector"], &self.rsa_key, &self.selector);
        let ed25519 = key(
            check,
            ["dkim.ed25519_key", "dkim.ed25519_selector"],
            &self.ed25519_key,
            &self.ed25519_selector,
        );
        let (domain, rsa, ed25519) = (domain?, rsa?, ed25519?);
        match (&rsa, &ed25519) {
            (None, None) => {
                let advice = "give rsa_key_file or ed25519_key_file, or empty dkim.domain";
                return check.fail("dkim.rsa_key", "is missing", advice);
            }
            (Some(rsa), Some(ed25519)) if rsa.selector == ed25519.selector => {
                let advice = "give each key a selector of its own";
                return check.fail("dkim.ed25519_selector", "is the RSA key's selector", advice);
            }
            _ => {}
        }
        if from.is_some_and(|from| !aligned(&from.to_ascii_lowercase(), &domain)) {
            let advice = "sign for the domain of email.from, or one above it (DMARC)";
            return check.fail("dkim.domain", "does not align with email.from", advice);
        }
        Ok(Some(DkimSettings { domain, rsa, ed25519 }))
    }
}

fn aligned(from: &str, domain: &str) -> bool {
    from == domain || from.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn key(
    check: &mut Check,
    [key, selector_key]: [&str; 2],
    pem: &SecretString,
    selector: &str,
) -> Checked<Option<DkimKey>> {
    let Some(pem) = given_secret(pem) else { return Ok(None) };
    if !pem.expose_secret().contains("PRIVATE KEY-----") {
        return check.fail(key, "is not a private key in PEM", "give the key, not its DNS record");
    }
    let fits = !selector.is_empty()
        && selector.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !fits {
        let advice = "write letters, digits and hyphens";
        return check.fail(selector_key, format!("\"{selector}\" is not a DNS label"), advice);
    }
    Ok(Some(DkimKey { selector: selector.to_owned(), pem }))
}

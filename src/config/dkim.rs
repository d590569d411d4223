use std::path::PathBuf;

use serde::Deserialize;

use super::check::{Check, Checked, given, given_path};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDkim {
    domain: String,
    selector: String,
    rsa_key_file: String,
    ed25519_selector: String,
    ed25519_key_file: String,
}

/// How mails are signed (RFC 6376). RSA always, Ed25519 beside it.
#[derive(Debug, Clone)]
pub struct DkimSettings {
    /// `d=`, in lower case.
    pub domain: String,
    pub rsa: DkimKey,
    pub ed25519: Option<DkimKey>,
}

#[derive(Debug, Clone)]
pub struct DkimKey {
    /// `s=`
    pub selector: String,
    /// PEM; not read yet.
    pub file: PathBuf,
}

impl RawDkim {
    /// `from`: the domain of `email.from`, where that is in order.
    pub(super) fn validate(
        &self,
        check: &mut Check,
        from: Option<&str>,
    ) -> Checked<Option<DkimSettings>> {
        if given(&self.domain).is_none() {
            return if given(&self.rsa_key_file).or(given(&self.ed25519_key_file)).is_some() {
                check.fail("dkim.domain", "is missing", "give the domain that the key signs for")
            } else {
                Ok(None)
            };
        }
        let domain = check.domain("dkim.domain", &self.domain);
        let rsa = key(check, "dkim.selector", &self.rsa_key_file, &self.selector);
        let selector = "dkim.ed25519_selector";
        let ed25519 = key(check, selector, &self.ed25519_key_file, &self.ed25519_selector);
        let (domain, rsa, ed25519) = (domain?, rsa?, ed25519?);
        let Some(rsa) = rsa else {
            let advice = "give the RSA key, which every receiver reads, or empty dkim.domain";
            return check.fail("dkim.rsa_key_file", "is missing", advice);
        };
        if ed25519.as_ref().is_some_and(|ed25519| ed25519.selector == rsa.selector) {
            let advice = "give each key a selector of its own";
            return check.fail(selector, "is the RSA key's selector", advice);
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
    selector_key: &str,
    file: &str,
    selector: &str,
) -> Checked<Option<DkimKey>> {
    let Some(file) = given_path(file) else { return Ok(None) };
    let fits = !selector.is_empty()
        && selector.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !fits {
        let advice = "write letters, digits and hyphens";
        return check.fail(selector_key, format!("\"{selector}\" is not a DNS label"), advice);
    }
    Ok(Some(DkimKey { selector: selector.to_owned(), file }))
}

use serde::Deserialize;
use url::Url;

use super::check::{Check, Checked, given};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIdentity {
    name: String,
    service: String,
    contact_email: String,
    contact_phone: String,
    contact_address: String,
    accessibility_statement: String,
    personal_data: String,
}

/// Who writes, as citizens read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentitySettings {
    /// The authority.
    pub name: String,
    /// The service in charge, named in receipts (CRPA L112-11).
    pub service: String,
    pub contact_email: Option<String>,
    pub contact_phone: Option<String>,
    pub contact_address: Option<String>,
    /// Always there where a provider is not the sandbox, as is [`Self::personal_data`].
    pub accessibility_statement: Option<Url>,
    pub personal_data: Option<Url>,
}

impl RawIdentity {
    /// `real`: citizens are written to, so the law asks for more.
    pub(super) fn validate(&self, check: &mut Check, real: bool) -> Checked<IdentitySettings> {
        let name = check.needed("identity.name", &self.name, "name the authority that writes");
        let service = check.needed("identity.service", &self.service, "name the service in charge");
        let contact_email = match given(&self.contact_email) {
            Some(text) => check.email_address("identity.contact_email", &text).map(Some),
            None => Ok(None),
        };
        let contact_phone = given(&self.contact_phone);
        let contact_address = given(&self.contact_address);
        let reachable = if real
            && contact_email.as_ref().is_ok_and(Option::is_none)
            && contact_phone.is_none()
            && contact_address.is_none()
        {
            let advice = "give contact_email, contact_phone or contact_address: receipts name it";
            check.fail("identity.contact_email", "is missing, as is every other contact", advice)
        } else {
            Ok(())
        };
        let accessibility_statement =
            page(check, "identity.accessibility_statement", &self.accessibility_statement, real);
        let personal_data = page(check, "identity.personal_data", &self.personal_data, real);
        reachable?;
        Ok(IdentitySettings {
            name: name?,
            service: service?,
            contact_email: contact_email?,
            contact_phone,
            contact_address,
            accessibility_statement: accessibility_statement?,
            personal_data: personal_data?,
        })
    }
}

fn page(check: &mut Check, key: &str, text: &str, real: bool) -> Checked<Option<Url>> {
    let url = check.optional_url(key, text)?;
    if real && url.is_none() {
        return check.fail(key, "is missing", "give the page's address: every message links to it");
    }
    Ok(url)
}

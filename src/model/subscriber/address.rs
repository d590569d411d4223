//! Addresses in the normal form by which they are found again. The same person writes from the
//! same form, so what comes in goes through here too.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, enums::Region};

/// The regions whose national numbers are read: the mainland, then overseas.
const REGIONS: [Region; 7] =
    [Region::FR, Region::GP, Region::MQ, Region::GF, Region::RE, Region::YT, Region::PM];

/// Numbers that the ARCEP keeps for films and tests (decision 2018-0881): no plan calls them valid.
const FICTION: &str = "+3363998";

/// An email address in lower case, its domain in ASCII (RFC 5891).
///
/// # Errors
/// A fragment that says what is wrong, without the address.
pub fn normal_email(text: &str) -> Result<String, String> {
    let text = text.trim();
    let Some((local, domain)) = text.rsplit_once('@') else {
        return Err("is no email address such as nom@example.org".to_owned());
    };
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || !c.is_ascii();
    if local.is_empty()
        || local.len() > 64
        || !local.chars().all(|c| allowed(c) && !c.is_control() && !c.is_whitespace())
        || local.starts_with('.')
        || local.ends_with('.')
        || local.contains("..")
    {
        return Err("has no usable part before the @".to_owned());
    }
    let host = match url::Host::parse(domain) {
        Ok(url::Host::Domain(host)) if is_domain(&host) => host,
        _ => return Err("has no domain name after the @".to_owned()),
    };
    let address = format!("{}@{host}", local.to_lowercase());
    if address.len() > 254 {
        return Err("has more than 254 characters".to_owned());
    }
    Ok(address)
}

/// At least two labels of letters, digits and inner hyphens (RFC 1123), the last one no number.
fn is_domain(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    labels.len() >= 2
        && host.len() <= 253
        && labels.iter().all(|label| fits(label))
        && labels.last().is_some_and(|top| !top.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A number that can take a text message, as E.164; without a country code it is French, of the
/// mainland or overseas.
///
/// # Errors
/// A fragment that says what is wrong, without the number.
pub fn normal_phone(text: &str) -> Result<String, String> {
    use rlibphonenumber::PhoneNumberType::{FixedLine, PremiumRate, SharedCost, TollFree};
    let text = text.trim();
    let mut landline = false;
    if !text.chars().any(char::is_alphabetic) {
        for region in REGIONS {
            let Ok(number) = PHONE_NUMBER_UTIL.parse(text, Some(region)) else { continue };
            let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
            if e164.starts_with(FICTION) && e164.len() == 12 {
                return Ok(e164);
            }
            if !number.is_valid() {
                continue;
            }
            if matches!(number.get_type(), FixedLine | PremiumRate | SharedCost | TollFree) {
                landline = true;
                continue;
            }
            return Ok(e164);
        }
    }
    Err(if landline {
        "is a number that text messages don't reach; give a mobile one".to_owned()
    } else {
        "is no phone number such as 06 12 34 56 78 or +33612345678".to_owned()
    })
}

/// A Telegram chat id: digits, with a minus sign for a group.
///
/// # Errors
/// A fragment that says what is wrong.
pub fn normal_chat_id(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.parse::<i64>() {
        Ok(id) if id != 0 => Ok(id.to_string()),
        _ => Err("is no Telegram chat id: digits, not a name".to_owned()),
    }
}

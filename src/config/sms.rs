use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;

use super::{
    check::{Check, Checked, given},
    sms_providers::{HttpSmsSettings, OvhSettings, RawOvh, RawTwilio, TwilioSettings},
};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSms {
    provider: String,
    signature: String,
    two_way: bool,
    stop_number: String,
    hours: String,
    quiet_hours: bool,
    max_segments: i64,
    transliterate: bool,
    per_second: f64,
    in_flight: i64,
    timeout: String,
    ovh: RawOvh,
    twilio: RawTwilio,
    http: HttpSmsSettings,
}

#[derive(Debug, Clone)]
pub struct SmsSettings {
    pub provider: SmsProvider,
    /// Who writes, at the beginning of each message.
    pub signature: Option<String>,
    /// Whether citizens can answer; if not, `stop_number` is there.
    pub two_way: bool,
    /// "STOP au …"; none: "répondez STOP".
    pub stop_number: Option<String>,
    /// When information may be sent; none (a provider on this machine only): at any time.
    pub hours: Option<Hours>,
    /// A longer text is cut to its link.
    pub max_segments: usize,
    pub transliterate: bool,
    /// Messages a second over all; none: no limit.
    pub per_second: Option<f64>,
    /// Messages being sent at once.
    pub in_flight: usize,
    /// For one request.
    pub timeout: Duration,
}

#[derive(Debug, Clone)]
pub enum SmsProvider {
    Sandbox,
    Ovh(OvhSettings),
    Twilio(TwilioSettings),
    Http(HttpSmsSettings),
}

/// Hours of a day in Europe/Paris, within 08:00–21:30: from the first minute on, before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    pub from: Time,
    pub until: Time,
}

#[derive(Clone, Copy)]
enum Choice {
    Sandbox,
    Ovh,
    Twilio,
    Http,
    Smpp,
}

const CHOICES: &[(&str, Choice)] = &[
    ("sandbox", Choice::Sandbox),
    ("ovh", Choice::Ovh),
    ("twilio", Choice::Twilio),
    ("http", Choice::Http),
];

impl RawSms {
    pub(super) fn is_sandbox(&self) -> bool {
        !["ovh", "twilio", "http"].contains(&self.provider.trim())
    }

    /// Whether messages go to a provider other than one on this machine.
    pub(super) fn is_remote(&self) -> bool {
        match self.provider.trim() {
            "ovh" => self.ovh.is_remote(),
            "twilio" => self.twilio.is_remote(),
            "http" => self.http.is_remote(),
            _ => false,
        }
    }

    pub(super) fn validate(&self, check: &mut Check) -> Checked<SmsSettings> {
        let choice = if self.provider.trim() == "smpp" {
            Ok(Choice::Smpp)
        } else {
            check.choice("sms.provider", &self.provider, CHOICES)
        };
        let provider = match choice {
            Ok(Choice::Sandbox) => Ok(SmsProvider::Sandbox),
            Ok(Choice::Ovh) => self.ovh.validate(check).map(SmsProvider::Ovh),
            Ok(Choice::Twilio) => self.twilio.validate(check).map(SmsProvider::Twilio),
            Ok(Choice::Http) => self.http.validate(check).map(SmsProvider::Http),
            Ok(Choice::Smpp) => {
                let advice = "use ovh, twilio or http";
                check.fail("sms.provider", "smpp is not in this version", advice)
            }
            Err(reported) => Err(reported),
        };
        let stop_number = self.stop_number(check, provider.as_ref().ok());
        let hours = self.hours(check);
        let max_segments = check.number("sms.max_segments", self.max_segments, 1..=10);
        let per_second = check.pace("sms.per_second", self.per_second);
        let in_flight = check.number("sms.in_flight", self.in_flight, 1..=500);
        let timeout = check.duration("sms.timeout", &self.timeout, "1s"..="2m");
        Ok(SmsSettings {
            provider: provider?,
            signature: given(&self.signature),
            two_way: self.two_way,
            stop_number: stop_number?,
            hours: hours?,
            max_segments: max_segments?,
            transliterate: self.transliterate,
            per_second: per_second?,
            in_flight: in_flight?,
            timeout: timeout?,
        })
    }

    /// A citizen must be able to object, simply and free.
    fn stop_number(
        &self,
        check: &mut Check,
        provider: Option<&SmsProvider>,
    ) -> Checked<Option<String>> {
        let answered = match provider {
            Some(SmsProvider::Ovh(ovh)) => ovh.sender.two_way(),
            Some(SmsProvider::Twilio(twilio)) => twilio.sender.two_way(),
            _ => true,
        };
        if self.two_way && !answered {
            let advice = "write false and give sms.stop_number, or send from a short number";
            return check.fail("sms.two_way", "is true, yet a name can't be answered", advice);
        }
        let number = given(&self.stop_number);
        match &number {
            None if !self.two_way => {
                let advice = "give the number that takes STOP: nobody can answer the message";
                check.fail("sms.stop_number", "is missing", advice)
            }
            Some(text) if !text.bytes().all(|b| b.is_ascii_digit()) => {
                let what = format!("\"{text}\" is not a short number");
                check.fail("sms.stop_number", what, "write digits only, for example 36111")
            }
            _ => Ok(number),
        }
    }

    fn hours(&self, check: &mut Check) -> Checked<Option<Hours>> {
        let key = "sms.hours";
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
        let hours = self
            .hours
            .split_once('-')
            .and_then(|(from, until)| Some(Hours { from: time(from)?, until: time(until)? }));
        let Some(hours) = hours else {
            let what = format!("\"{}\" are not hours", self.hours);
            return check.fail(key, what, "write \"08:00-20:00\"");
        };
        let (earliest, latest) = (Time::constant(8, 0, 0, 0), Time::constant(21, 30, 0, 0));
        if hours.from < earliest || hours.until > latest || hours.from >= hours.until {
            let what = format!("\"{}\" goes beyond what people may be written at", self.hours);
            return check.fail(key, what, "stay within 08:00-21:30");
        }
        // a provider on this machine reaches nobody's phone
        match (self.quiet_hours, self.is_remote()) {
            (true, _) => Ok(Some(hours)),
            (false, false) => Ok(None),
            (false, true) => {
                let advice = "write true: only a provider on this machine may send at any hour";
                check.fail("sms.quiet_hours", "is off with a real provider", advice)
            }
        }
    }
}

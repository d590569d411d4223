//! Twilio: the Messages API and what its error codes mean.

use portevoix_contract::{Outbound, Outcome};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{
    config::TwilioConfig,
    shape::SmsContent,
    verdict::{Verdict, not_understood, unreached},
    wire::Wire,
};

/// The longest `ValidityPeriod`, in seconds.
const MAX_VALIDITY_SECONDS: i64 = 36_000;

/// Twilio's error dictionary, as far as it can meet this channel. What stands for every message
/// alike is [`Verdict::Misconfigured`], what stands for one country or carrier [`Verdict::Us`].
const ERRORS: &[(u32, Verdict)] = &[
    (14107, Verdict::SlowDown),      // rate limit exceeded
    (20003, Verdict::Misconfigured), // authentication
    (20005, Verdict::Misconfigured), // account not active
    (20404, Verdict::Misconfigured), // account not found
    (20429, Verdict::SlowDown),      // too many requests
    (20503, Verdict::Later),         // service unavailable
    (21211, Verdict::Address),       // invalid To
    (21212, Verdict::Misconfigured), // invalid From
    (21217, Verdict::Address),       // To is not a number
    (21219, Verdict::Us),            // trial account, unverified number
    (21265, Verdict::Address),       // To is a short code
    (21266, Verdict::Address),       // To is our own number
    (21408, Verdict::Us),            // country not enabled
    (21602, Verdict::Message),       // body missing
    (21603, Verdict::Misconfigured), // From missing
    (21604, Verdict::Address),       // To missing
    (21606, Verdict::Misconfigured), // From can't send SMS
    (21608, Verdict::Us),            // trial account, unverified number
    (21610, Verdict::Address),       // the recipient replied STOP at Twilio
    (21611, Verdict::SlowDown),      // the sender's queue is full
    (21612, Verdict::Us),            // this From can't reach that To
    (21614, Verdict::Address),       // not a mobile number
    (21617, Verdict::Message),       // body too long
    (21619, Verdict::Message),       // body or media needed
    (21659, Verdict::Misconfigured), // From is not ours
    (21660, Verdict::Misconfigured), // From belongs to another account
    (21701, Verdict::Misconfigured), // no such messaging service
    (21703, Verdict::Misconfigured), // the messaging service has no sender
    (30001, Verdict::SlowDown),      // queue overflow
    (30002, Verdict::Misconfigured), // account suspended
    (63038, Verdict::SlowDown),      // daily limit
];

#[derive(Debug)]
pub(crate) struct Twilio {
    config: TwilioConfig,
    wire: Wire,
}

#[derive(Deserialize)]
struct Created {
    sid: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: Option<u32>,
}

impl Twilio {
    pub(crate) fn new(config: TwilioConfig, wire: Wire) -> Self {
        Self { config, wire }
    }

    fn url(&self, below: &str) -> String {
        let base = self.config.api_url.trim_end_matches('/');
        format!("{base}/2010-04-01/Accounts/{}{below}", self.config.account_sid)
    }

    fn request(&self, method: Method, below: &str) -> reqwest::RequestBuilder {
        self.wire
            .request(method, &self.url(below))
            .basic_auth(&self.config.account_sid, Some(self.config.auth_token.expose_secret()))
    }

    pub(crate) async fn send(&self, outbound: &Outbound<SmsContent>) -> Outcome {
        let now_ms = outbound.now_ms;
        let mut form = vec![("To", outbound.to.as_str()), ("Body", outbound.content.text.as_str())];
        let config = &self.config;
        form.extend(config.from.as_deref().map(|from| ("From", from)));
        form.extend(config.messaging_service_sid.as_deref().map(|s| ("MessagingServiceSid", s)));
        form.extend(config.status_callback.as_deref().map(|url| ("StatusCallback", url)));
        let validity = outbound.deadline_ms.map(|deadline| {
            ((deadline - now_ms) / 1000).clamp(1, MAX_VALIDITY_SECONDS).to_string()
        });
        form.extend(validity.as_deref().map(|seconds| ("ValidityPeriod", seconds)));

        let request = self.request(Method::POST, "/Messages.json").form(&form);
        let answer = match self.wire.exchange(request, now_ms).await {
            Ok(answer) => answer,
            Err(error) => return unreached(error),
        };
        if matches!(answer.status, 200 | 201) {
            return match serde_json::from_slice::<Created>(&answer.body) {
                Ok(created) if !created.sid.is_empty() => {
                    Outcome::Accepted { reference: created.sid }
                }
                _ => not_understood(answer.status),
            };
        }
        let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
        let known = refusal.code.and_then(|code| ERRORS.iter().find(|(known, _)| *known == code));
        let verdict = known.map_or_else(|| Verdict::of_status(answer.status), |(_, it)| *it);
        let code = refusal.code.map(|code| code.to_string()).unwrap_or_default();
        verdict.outcome(&answer, now_ms, &code)
    }

    /// The account's state.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Account {
            status: String,
        }
        let answer = self
            .wire
            .exchange(self.request(Method::GET, ".json"), 0)
            .await
            .map_err(|error| format!("Twilio: {error}; check sms.twilio.api_url"))?;
        match (answer.status, serde_json::from_slice::<Account>(&answer.body)) {
            (200, Ok(account)) if account.status == "active" => {
                Ok("Twilio: the account is active".to_owned())
            }
            (200, Ok(_)) => Err("Twilio: the account is not active".to_owned()),
            (200, Err(_)) => Err("Twilio: the answer is not an account's".to_owned()),
            (status, _) => Err(format!(
                "Twilio answered {status}; check sms.twilio.account_sid and auth_token"
            )),
        }
    }
}

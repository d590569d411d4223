//! OVHcloud: `/sms/{service}/jobs`, its request signature and its clock.

use portevoix_contract::{Fault, Outbound, Outcome};
use reqwest::Method;
use ring::digest;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    config::OvhConfig,
    secret::to_hex,
    segments::Encoding,
    shape::SmsContent,
    verdict::{Verdict, not_understood, unreached},
    wire::{Answer, Wire, WireError},
};

/// The offset is measured again that often, for a machine's clock drifts.
const CLOCK_SECONDS: u64 = 3_600;

/// The longest validity that OVHcloud takes, in minutes.
const MAX_VALIDITY_MINUTES: i64 = 2_880;

/// The longest tag.
const MAX_TAG: usize = 20;

/// Signed calls to the API.
#[derive(Debug)]
pub(crate) struct OvhApi {
    pub config: OvhConfig,
    wire: Wire,
    clock: Mutex<Option<ServerClock>>,
}

/// OVHcloud's time when it was asked, and how long ago that was: signatures need no clock of ours.
#[derive(Debug, Clone, Copy)]
struct ServerClock {
    seconds: i64,
    asked: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Job<'a> {
    message: &'a str,
    receivers: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<&'a str>,
    sender_for_response: bool,
    /// Always true: OVHcloud's own clause is for advertising, which this gateway refuses to send;
    /// it would also hold the message at night and keep the objection to itself. A broadcast says
    /// in its own words how to object.
    no_stop_clause: bool,
    charset: &'static str,
    class: &'static str,
    coding: &'static str,
    priority: &'static str,
    tag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    validity_period: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobAnswer {
    ids: Vec<u64>,
    #[serde(default)]
    invalid_receivers: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Refusal {
    error_code: String,
    class: String,
    message: String,
}

impl OvhApi {
    pub(crate) fn new(config: OvhConfig, wire: Wire) -> Self {
        Self { config, wire, clock: Mutex::new(None) }
    }

    /// A signed call; `path` begins below `/sms/{service}` (empty: the service itself).
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: String,
        now_ms: i64,
    ) -> Result<Answer, WireError> {
        let base = self.config.endpoint.trim_end_matches('/');
        let url = format!("{base}/sms/{}{path}", self.config.service);
        let timestamp = self.server_seconds(base, now_ms).await?;
        let signature = signature(&self.config, method.as_str(), &url, &body, timestamp);
        let mut request = self
            .wire
            .request(method, &url)
            .header("X-Ovh-Application", &self.config.application_key)
            .header("X-Ovh-Consumer", self.config.consumer_key.expose_secret())
            .header("X-Ovh-Timestamp", timestamp)
            .header("X-Ovh-Signature", signature);
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json; charset=utf-8").body(body);
        }
        let answer = self.wire.exchange(request, now_ms).await?;
        if matches!(answer.status, 400 | 401 | 403) {
            // it may have been our idea of the time: ask again before the next call
            *self.clock.lock().await = None;
        }
        Ok(answer)
    }

    async fn server_seconds(&self, base: &str, now_ms: i64) -> Result<i64, WireError> {
        let mut clock = self.clock.lock().await;
        let known = clock.filter(|clock| clock.asked.elapsed().as_secs() < CLOCK_SECONDS);
        let clock = if let Some(known) = known {
            known
        } else {
            let request = self.wire.request(Method::GET, &format!("{base}/auth/time"));
            let answer = self.wire.exchange(request, now_ms).await?;
            let seconds = std::str::from_utf8(&answer.body)
                .ok()
                .filter(|_| answer.status == 200)
                .and_then(|body| body.trim().parse().ok())
                .ok_or(WireError::Broken)?;
            *clock.insert(ServerClock { seconds, asked: Instant::now() })
        };
        Ok(clock.seconds + i64::try_from(clock.asked.elapsed().as_secs()).unwrap_or_default())
    }

    pub(crate) async fn send(&self, outbound: &Outbound<SmsContent>) -> Outcome {
        let now_ms = outbound.now_ms;
        let job = self.job(outbound);
        let Ok(body) = serde_json::to_string(&job) else {
            return Outcome::Refused {
                fault: Fault::Message,
                why: "the message can't be written as JSON".to_owned(),
            };
        };
        match self.call(Method::POST, "/jobs", body, now_ms).await {
            Ok(answer) => classify(&answer, now_ms),
            Err(error) => unreached(error),
        }
    }

    fn job<'a>(&'a self, outbound: &'a Outbound<SmsContent>) -> Job<'a> {
        let config = &self.config;
        Job {
            message: &outbound.content.text,
            receivers: [&outbound.to],
            sender: config.sender.as_deref().filter(|_| !config.sender_for_response),
            sender_for_response: config.sender_for_response,
            no_stop_clause: true,
            charset: "UTF-8",
            class: "phoneDisplay",
            coding: match outbound.content.encoding {
                Encoding::Gsm7 => "7bit",
                Encoding::Ucs2 => "8bit",
            },
            priority: "high",
            tag: tag(&outbound.id),
            validity_period: outbound.deadline_ms.map(|deadline| {
                ((deadline - outbound.now_ms) / 60_000).clamp(1, MAX_VALIDITY_MINUTES)
            }),
        }
    }

    /// The service's state and credit.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Service {
            status: String,
            credits_left: f64,
        }
        let answer = self
            .call(Method::GET, "", String::new(), 0)
            .await
            .map_err(|error| format!("OVHcloud: {error}; check sms.ovh.endpoint"))?;
        match (answer.status, serde_json::from_slice::<Service>(&answer.body)) {
            (200, Ok(service)) if service.credits_left < 1.0 => {
                Err(format!("OVHcloud: {} has no credit left", self.config.service))
            }
            (200, Ok(Service { status, credits_left })) => Ok(format!(
                "OVHcloud: {} is {status}, {credits_left} credits left",
                self.config.service
            )),
            (200, Err(_)) => Err("OVHcloud: the answer is not a service's".to_owned()),
            (status, _) => Err(format!(
                "OVHcloud answered {status}; check the keys, their rights on /sms and sms.ovh.service"
            )),
        }
    }
}

/// The last characters of a delivery's id: its beginning is what ids of one time share.
fn tag(id: &str) -> &str {
    let start = id.char_indices().rev().nth(MAX_TAG - 1).map_or(0, |(offset, _)| offset);
    &id[start..]
}

/// `"$1$" + sha1(secret+consumer+METHOD+URL+body+timestamp)`.
fn signature(config: &OvhConfig, method: &str, url: &str, body: &str, timestamp: i64) -> String {
    let signed = [
        config.application_secret.expose_secret(),
        config.consumer_key.expose_secret(),
        method,
        url,
        body,
        &timestamp.to_string(),
    ]
    .join("+");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, signed.as_bytes());
    format!("$1${}", to_hex(hash.as_ref()))
}

fn classify(answer: &Answer, now_ms: i64) -> Outcome {
    if answer.status == 200 {
        return match serde_json::from_slice::<JobAnswer>(&answer.body) {
            Ok(job) if !job.invalid_receivers.is_empty() => Outcome::Refused {
                fault: Fault::Address,
                why: "OVHcloud calls the number invalid".to_owned(),
            },
            Ok(JobAnswer { ids, .. }) if !ids.is_empty() => {
                Outcome::Accepted { reference: ids[0].to_string() }
            }
            _ => not_understood(answer.status),
        };
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = if refusal.error_code.is_empty() { &refusal.class } else { &refusal.error_code };
    let verdict = if refusal.error_code == "QUERY_TIME_OUT" {
        // the clock has been forgotten and is asked for anew
        Verdict::Later
    } else if refusal.error_code.starts_with("INVALID_")
        || refusal.error_code.starts_with("NOT_")
        || refusal.message.to_lowercase().contains("credit")
    {
        Verdict::Misconfigured
    } else {
        Verdict::of_status(answer.status)
    };
    verdict.outcome(answer, now_ms, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> OvhConfig {
        OvhConfig {
            endpoint: "https://eu.api.ovh.com/1.0".into(),
            application_key: "7kbG7Bk7S9Nt7ZSV".into(),
            application_secret: "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF".to_owned().into(),
            consumer_key: "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1".to_owned().into(),
            service: "sms-xx1-1".into(),
            sender: None,
            sender_for_response: true,
            poll_ms: 0,
            receipt_token: None,
        }
    }

    #[test]
    fn the_signature_is_the_documentations_own_example() {
        let url = "https://eu.api.ovh.com/1.0/domains/";
        assert_eq!(
            signature(&config(), "GET", url, "", 1_366_560_945),
            "$1$d3705e8afb27a0d2970a322b96550abfc67bb798"
        );
    }

    #[test]
    fn a_tag_is_the_end_of_an_id() {
        assert_eq!(tag("short"), "short");
        assert_eq!(tag("0198f3a2-0000-1111-2222-333344445555"), "11-2222-333344445555");
    }

    #[test]
    fn refusals_are_classified() {
        let answer = |status, body: &str| Answer {
            status,
            retry_after_ms: None,
            body: body.as_bytes().to_vec(),
        };
        let outcome = |status, body| classify(&answer(status, body), 0);
        for (status, body) in [
            (403, r#"{"errorCode":"INVALID_CREDENTIAL","message":"This credential is not valid"}"#),
            (400, r#"{"errorCode":"INVALID_SIGNATURE"}"#),
            (400, r#"{"class":"Client::BadRequest","message":"Not enough credits"}"#),
            (404, "{}"),
        ] {
            assert!(matches!(outcome(status, body), Outcome::SlowDown { .. }), "{body}");
        }
        for (status, body) in [
            (400, r#"{"errorCode":"QUERY_TIME_OUT"}"#),
            (400, r#"{"class":"Client::BadRequest","message":"new reason for +33612345678"}"#),
            (200, "<html>"),
            (200, r#"{"ids":[],"invalidReceivers":[]}"#),
            (502, ""),
        ] {
            let outcome = outcome(status, body);
            assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
            assert!(!format!("{outcome:?}").contains("33612345678"));
        }
    }
}

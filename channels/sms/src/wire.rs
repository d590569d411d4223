//! One HTTP exchange with a provider, bounded in time and size, and never quoted in an error: an
//! address or an answer can hold a number, a text or a secret.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::RETRY_AFTER;

/// An answer longer than that is no provider's.
const MAX_ANSWER: usize = 256 * 1024;

/// A provider that asks for more patience than a day is not believed.
const MAX_PATIENCE_MS: i64 = 24 * 3600 * 1000;

#[derive(Debug, Clone)]
pub(crate) struct Wire {
    client: reqwest::Client,
}

/// What came back. No `Debug`: the body may hold anything.
pub(crate) struct Answer {
    pub status: u16,
    /// Milliseconds to wait, where the provider says so.
    pub retry_after_ms: Option<i64>,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the provider can't be reached")]
    Connect,
    #[error("the provider did not answer in time")]
    Timeout,
    #[error("the exchange with the provider broke off")]
    Broken,
    #[error("the provider's answer is too long")]
    TooLong,
}

impl From<reqwest::Error> for WireError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect
        } else {
            Self::Broken
        }
    }
}

impl Wire {
    /// Follows no redirect: a signature or a password is for one address only.
    pub(crate) fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .user_agent(concat!("portevoix/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    pub(crate) fn request(&self, method: reqwest::Method, url: &str) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// `now_ms` is what a `Retry-After` that names a date is measured from.
    pub(crate) async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        now_ms: i64,
    ) -> Result<Answer, WireError> {
        let mut response = request.send().await?;
        let status = response.status().as_u16();
        let retry_after_ms = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| patience(value, now_ms));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(WireError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after_ms, body })
    }
}

/// RFC 9110 section 10.2.3: seconds, or a date.
fn patience(value: &str, now_ms: i64) -> Option<i64> {
    let value = value.trim();
    let wait = match value.parse::<u32>() {
        Ok(seconds) => i64::from(seconds) * 1000,
        Err(_) => {
            rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?.as_millisecond() - now_ms
        }
    };
    Some(wait.clamp(0, MAX_PATIENCE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_seconds_or_a_date() {
        assert_eq!(patience("120", 0), Some(120_000));
        assert_eq!(patience("4294967295", 0), Some(MAX_PATIENCE_MS));
        // 784111777 s is the RFC's own example
        assert_eq!(patience("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_767_000), Some(10_000));
        assert_eq!(patience("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_999_000), Some(0));
        assert_eq!(patience("soon", 0), None);
        assert_eq!(patience("-5", 0), None);
    }
}

//! What operators see: logs for people or as JSON lines, metrics for Prometheus, and the masks
//! that keep addresses and numbers out of both.

use std::{
    fmt,
    io::IsTerminal,
    sync::{Mutex, PoisonError},
};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSettings};

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Something in this process logs already.
    #[error("start logging")]
    Log(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("keep metrics")]
    Metrics(#[from] BuildError),
}

/// Starts logging to stderr: stdout belongs to what a command prints.
///
/// # Errors
/// Where the process logs already, or the level was never checked.
pub fn init(settings: &LogSettings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder()
        .parse(&settings.level)
        .map_err(|error| TelemetryError::Log(Box::new(error)))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Json => builder.json().flatten_event(true).with_ansi(false).try_init(),
        LogFormat::People => {
            // https://no-color.org
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let colour = std::io::stderr().is_terminal() && !plain;
            builder.compact().with_target(false).with_ansi(colour).try_init()
        }
    };
    started.map_err(TelemetryError::Log)
}

/// An address, number or chat id as a log may show it.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains('@') {
            f.write_str(&mask_email(self.0))
        } else {
            f.write_str(&mask_phone(self.0))
        }
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `marie.dupont@lille.fr` → `m…@l….fr`. What is no address becomes `…`.
#[must_use]
pub fn mask_email(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else { return "…".to_owned() };
    let (host, top) = match domain.rsplit_once('.') {
        Some((host, top)) if top.chars().all(char::is_alphabetic) => (host, format!(".{top}")),
        _ => (domain, String::new()),
    };
    format!("{}…@{}…{top}", first(local), first(host))
}

/// The first character, where it is one of many: a single one would be all there is to know.
fn first(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(_)) if first.is_alphanumeric() => first.to_string(),
        _ => String::new(),
    }
}

/// `+33612345678` → `+33…78`: enough to tell two apart, not to call one. A short number, a chat
/// id of few digits and what is no number become `…`.
#[must_use]
pub fn mask_phone(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let sign = if number.starts_with('+') { "+" } else { "" };
    let others = number.chars().any(|c| !c.is_ascii_digit() && !" +-.()/".contains(c));
    if digits.len() < 8 || others {
        return "…".to_owned();
    }
    let start = if sign.is_empty() { "" } else { &digits[..2] };
    format!("{sign}{start}…{}", &digits[digits.len() - 2..])
}

/// Events taken in, by `result`: accepted, duplicate, rejected.
pub const EVENTS_TOTAL: &str = "portevoix_events_total";
/// Deliveries that reached a `state`, by `channel`.
pub const DELIVERIES_TOTAL: &str = "portevoix_deliveries_total";
/// What a `channel` answered to a send, by `outcome`: accepted, later, refused, slow_down.
pub const OUTCOMES_TOTAL: &str = "portevoix_outcomes_total";
/// What came in, by `channel`.
pub const INBOUND_TOTAL: &str = "portevoix_inbound_total";
/// What a provider said later of a delivery, by `channel` and `state`.
pub const RECEIPTS_TOTAL: &str = "portevoix_receipts_total";
/// Contributions, by `channel` and `change`: received, amended, withdrawn.
pub const CONTRIBUTIONS_TOTAL: &str = "portevoix_contributions_total";
/// Webhook calls refused for a missing or wrong signature, by `hook`.
pub const HOOKS_REFUSED_TOTAL: &str = "portevoix_hooks_refused_total";
/// Faults of ours or of a provider's (authentication, garbage, unknown status), by `channel`.
pub const PROVIDER_FAULTS_TOTAL: &str = "portevoix_provider_faults_total";
/// Faults a room got over by trying again, by `room`.
pub const ROOM_FAULTS_TOTAL: &str = "portevoix_room_faults_total";
/// Seconds from handing a message to a channel to its answer, by `channel`.
pub const SEND_SECONDS: &str = "portevoix_send_seconds";
/// Deliveries pending, claimed ones included.
pub const OUTBOX_PENDING: &str = "portevoix_outbox_pending";
/// Age in seconds of the oldest delivery that is due and pending.
pub const OUTBOX_OLDEST_SECONDS: &str = "portevoix_outbox_oldest_seconds";
/// Rows waiting to go to the bus.
pub const RELAY_PENDING: &str = "portevoix_relay_pending";
/// Replies that wait for staff.
pub const QUARANTINE: &str = "portevoix_quarantine";

const COUNTERS: &[(&str, &str)] = &[
    (EVENTS_TOTAL, "Events taken in, by result: accepted, duplicate, rejected."),
    (DELIVERIES_TOTAL, "Deliveries that reached a state, by channel and state."),
    (OUTCOMES_TOTAL, "Answers to sends, by channel and outcome."),
    (INBOUND_TOTAL, "Messages that came in, by channel."),
    (RECEIPTS_TOTAL, "What providers said later of deliveries, by channel and state."),
    (CONTRIBUTIONS_TOTAL, "Contributions, by channel and change."),
    (HOOKS_REFUSED_TOTAL, "Webhook calls with a missing or wrong signature, by hook."),
    (PROVIDER_FAULTS_TOTAL, "Faults of ours or of a provider's, by channel."),
    (ROOM_FAULTS_TOTAL, "Faults got over by trying again, by room."),
];

const GAUGES: &[(&str, &str)] = &[
    (OUTBOX_PENDING, "Deliveries pending, claimed ones included."),
    (OUTBOX_OLDEST_SECONDS, "Age of the oldest delivery that is due and pending."),
    (RELAY_PENDING, "Rows waiting to go to the bus."),
    (QUARANTINE, "Replies that wait for staff."),
];

const SEND_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

static METRICS: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Starts keeping metrics, once a process; `render()` of the handle is what `/metrics` answers,
/// and its `run_upkeep()` is to be called every few seconds, or histograms grow until they are
/// read.
///
/// # Errors
/// Where something else in this process keeps metrics already.
pub fn metrics_handle() -> Result<PrometheusHandle, TelemetryError> {
    let mut installed = METRICS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let handle = builder()?.install_recorder()?;
    describe();
    *installed = Some(handle.clone());
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(SEND_SECONDS.to_owned()), SEND_BUCKETS)
}

fn describe() {
    for (name, text) in COUNTERS {
        metrics::describe_counter!(*name, *text);
    }
    for (name, text) in GAUGES {
        metrics::describe_gauge!(*name, *text);
        // shown from the start, so that an alert on its absence means something
        metrics::gauge!(*name).set(0.0);
    }
    metrics::describe_histogram!(SEND_SECONDS, "Seconds that a channel takes to answer a send.");
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn addresses_are_masked() {
        for (address, masked) in [
            ("marie.dupont@lille.fr", "m…@l….fr"),
            ("élodie@mairie.lille.example", "é…@m….example"),
            ("a@b.fr", "…@….fr"),
            ("marie@localhost", "m…@l…"),
            ("marie@[192.0.2.1]", "m…@…"),
            ("\"marie@dupont\"@lille.fr", "…@l….fr"),
            ("@", "…@…"),
            ("marie", "…"),
            ("", "…"),
        ] {
            assert_eq!(mask_email(address), masked, "{address}");
        }
    }

    #[test]
    fn numbers_are_masked() {
        for (number, masked) in [
            ("+33612345678", "+33…78"),
            ("06 12 34 56 78", "…78"),
            ("12345678901", "…01"),
            ("-1001234567890", "…90"),
            ("38123", "…"),
            ("+3361", "…"),
            ("Marie 0612345678", "…"),
            ("٠٦١٢٣٤٥٦٧٨", "…"),
            ("", "…"),
        ] {
            assert_eq!(mask_phone(number), masked, "{number}");
        }
        assert_eq!(
            format!("{} {:?}", Masked("a.b@lille.fr"), Masked("+33612345678")),
            "a…@l….fr +33…78"
        );
    }

    proptest::proptest! {
        #[test]
        fn a_mask_never_shows_the_whole(text in "\\PC{4,40}") {
            let masked = Masked(&text).to_string();
            proptest::prop_assert!(masked.contains('…'));
            let kept = text.chars().filter(char::is_ascii_digit).count();
            let shown = masked.chars().filter(char::is_ascii_digit).count();
            proptest::prop_assert!(shown <= 4 || shown < kept.div_ceil(2), "{masked}");
        }
    }

    #[test]
    fn metrics_are_described_and_read() {
        let handle = metrics_handle().unwrap();
        metrics::counter!(EVENTS_TOTAL, "result" => "accepted").increment(2);
        metrics::histogram!(SEND_SECONDS, "channel" => "email").record(0.02);
        metrics_handle().unwrap().run_upkeep();
        let text = handle.render();
        for line in [
            "# TYPE portevoix_events_total counter",
            "portevoix_events_total{result=\"accepted\"} 2",
            "# HELP portevoix_relay_pending Rows waiting to go to the bus.",
            "portevoix_relay_pending 0",
            "portevoix_send_seconds_bucket{channel=\"email\",le=\"0.025\"} 1",
            "portevoix_send_seconds_bucket{channel=\"email\",le=\"0.01\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    const CHILD: &str = "PORTEVOIX_TEST_TELEMETRY";

    /// Logging is started once a process, so this test runs itself as another one.
    #[test]
    fn json_lines_can_be_read() {
        if std::env::var_os(CHILD).is_some() {
            let settings = LogSettings { format: LogFormat::Json, level: "warn".to_owned() };
            init(&settings).unwrap();
            tracing::warn!(to = %Masked("marie.dupont@lille.fr"), "refused");
            tracing::info!("not shown");
            assert!(matches!(init(&settings), Err(TelemetryError::Log(_))));
            std::io::stderr().flush().unwrap();
            return;
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "telemetry::tests::json_lines_can_be_read", "--nocapture"])
            .env(CHILD, "1")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success(), "{text}");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert_eq!(lines[0]["message"], "refused");
        assert_eq!(lines[0]["to"], "m…@l….fr");
        assert_eq!(lines[0]["level"], "WARN");
    }
}

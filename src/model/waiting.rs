//! Those who asked for plain language and wait for it (law 8 of the house: plain is never faked).

/// What the configuration says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainWait {
    /// The standard text goes instead, this long (ms) before the deadline; none: never.
    pub fallback_before_ms: Option<i64>,
}

/// Far enough to mean "until something happens" (epoch ms, year 9999).
pub const FAR: i64 = 253_402_300_799_000;

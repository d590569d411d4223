//! When an information text message may go: Monday to Saturday, never on a public holiday, within
//! hours that the configuration can widen to at most 08:00–21:30 (charter of the field).

use jiff::civil::{Time, Weekday};

use crate::model::paris;

/// The window of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: Time,
    to: Time,
}

impl Hours {
    /// From the configuration, which keeps them within 08:00–21:30.
    #[must_use]
    pub fn new(from: Time, to: Time) -> Self {
        Self { from, to }
    }

    /// None: `ms` is within the hours. Else when they next begin (epoch ms).
    #[must_use]
    pub fn next_after(self, ms: i64) -> Option<i64> {
        let mut date = paris::day(ms);
        for day in 0..14 {
            let open = date.weekday() != Weekday::Sunday && !paris::is_holiday(date);
            let (from, to) = (paris::at(date, self.from), paris::at(date, self.to));
            if open && day == 0 && (from..to).contains(&ms) {
                return None;
            }
            if open && from > ms {
                return Some(from);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn next(day: (i16, i8, i8), hour: i8) -> Option<String> {
        let hours = Hours::new(time(8, 0, 0, 0), time(20, 0, 0, 0));
        let ms = paris::at(date(day.0, day.1, day.2), time(hour, 0, 0, 0));
        hours
            .next_after(ms)
            .map(|ms| paris::instant(ms).to_zoned(paris::zone()).strftime("%F %R").to_string())
    }

    #[test]
    fn evenings_sundays_and_holidays_wait() {
        assert_eq!(next((2026, 11, 23), 10), None);
        assert_eq!(next((2026, 11, 23), 20).as_deref(), Some("2026-11-24 08:00"));
        assert_eq!(next((2026, 11, 23), 3).as_deref(), Some("2026-11-23 08:00"));
        assert_eq!(next((2026, 11, 28), 21).as_deref(), Some("2026-11-30 08:00"));
        // Christmas 2026 is a Friday, the Sunday follows Saturday
        assert_eq!(next((2026, 12, 24), 20).as_deref(), Some("2026-12-26 08:00"));
    }
}

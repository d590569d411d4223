//! Days and hours as people in the metropolis count them: Europe/Paris.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// Europe/Paris; the data is in the program.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC)
}

/// The day on which an instant falls.
#[must_use]
pub fn day(ms: i64) -> Date {
    instant(ms).to_zoned(zone()).date()
}

/// The first millisecond of a day.
#[must_use]
pub fn start_of(date: Date) -> i64 {
    at(date, Time::midnight())
}

/// The first millisecond after a day.
#[must_use]
pub fn end_of(date: Date) -> i64 {
    date.checked_add(1.day()).map_or(i64::MAX, start_of)
}

/// An hour of a day, in epoch ms.
#[must_use]
pub fn at(date: Date, time: Time) -> i64 {
    date.to_datetime(time).to_zoned(zone()).map_or(0, |zoned| zoned.timestamp().as_millisecond())
}

/// The next time it is `time`, on a weekday if one is given, strictly after `ms`.
#[must_use]
pub fn next(ms: i64, time: Time, weekday: Option<Weekday>) -> i64 {
    let mut date = day(ms);
    for _ in 0..9 {
        let then = at(date, time);
        if then > ms && weekday.is_none_or(|weekday| date.weekday() == weekday) {
            return then;
        }
        match date.tomorrow() {
            Ok(tomorrow) => date = tomorrow,
            Err(_) => break,
        }
    }
    ms
}

/// Epoch ms as an instant; out of range is the epoch.
#[must_use]
pub fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether a day is a public holiday in mainland France (Code du travail L3133-1).
#[must_use]
pub fn is_holiday(date: Date) -> bool {
    const FIXED: [(i8, i8); 8] =
        [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    if FIXED.contains(&(date.month(), date.day())) {
        return true;
    }
    let easter = easter(date.year());
    [1, 39, 50].iter().any(|days| easter.checked_add(days.days()).is_ok_and(|day| day == date))
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let month = (h + l - 7 * m + 114) / 31;
    let day = (h + l - 7 * m + 114) % 31 + 1;
    let narrow = |n: i32| i8::try_from(n).unwrap_or(1);
    Date::new(year, narrow(month), narrow(day)).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn holidays_that_move_are_found() {
        // Easter Monday, Ascension and Whit Monday of two years
        for day in [
            date(2026, 4, 6),
            date(2026, 5, 14),
            date(2026, 5, 25),
            date(2027, 3, 29),
            date(2027, 5, 6),
            date(2027, 5, 17),
        ] {
            assert!(is_holiday(day), "{day}");
        }
        assert!(!is_holiday(date(2026, 5, 15)));
    }

    #[test]
    fn days_end_at_midnight_in_paris_in_summer_and_winter() {
        let winter = end_of(date(2027, 1, 15));
        assert_eq!(instant(winter).to_string(), "2027-01-15T23:00:00Z");
        let summer = end_of(date(2027, 7, 15));
        assert_eq!(instant(summer).to_string(), "2027-07-15T22:00:00Z");
    }

    #[test]
    fn the_next_monday_is_never_now() {
        let monday = at(date(2026, 11, 23), time(9, 0, 0, 0));
        let then = next(monday, time(9, 0, 0, 0), Some(Weekday::Monday));
        assert_eq!(then, at(date(2026, 11, 30), time(9, 0, 0, 0)));
    }
}

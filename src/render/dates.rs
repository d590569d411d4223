//! Dates for people: weekday and month in letters, in the language of the text.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};
use minijinja::{Error, ErrorKind, State};

/// Europe/Paris by its rule, so that no time zone database has to be installed.
const PARIS: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

struct Calendar {
    /// From Monday.
    weekdays: [&'static str; 7],
    months: [&'static str; 12],
}

const FRENCH: Calendar = Calendar {
    weekdays: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
};
const DUTCH: Calendar = Calendar {
    weekdays: ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
};
const ENGLISH: Calendar = Calendar {
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

fn weekday(calendar: &Calendar, day: Weekday) -> &'static str {
    calendar.weekdays[day.to_monday_zero_offset().unsigned_abs() as usize % 7]
}

/// « vendredi 15 janvier 2027 », "vrijdag 15 januari 2027", "Friday 15 January 2027".
pub(super) fn long_date(date: Date, language: &str) -> String {
    let (calendar, first_of_month) = match language {
        "nl" => (&DUTCH, ""),
        "en" => (&ENGLISH, ""),
        _ => (&FRENCH, "er"),
    };
    let month = calendar.months[date.month().unsigned_abs() as usize - 1];
    let first = if date.day() == 1 { first_of_month } else { "" };
    format!("{} {}{first} {month} {}", weekday(calendar, date.weekday()), date.day(), date.year())
}

/// « 18 h 30 », "18.30 uur", "6.30 pm".
fn clock(at: DateTime, language: &str) -> String {
    let (hour, minute) = (at.hour(), at.minute());
    match language {
        "nl" => format!("{hour}.{minute:02} uur"),
        "en" => {
            let half = if hour < 12 { "am" } else { "pm" };
            let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
            if minute == 0 {
                format!("{hour} {half}")
            } else {
                format!("{hour}.{minute:02} {half}")
            }
        }
        _ if minute == 0 => format!("{hour} h"),
        _ => format!("{hour} h {minute:02}"),
    }
}

fn long_time(at: Timestamp, language: &str) -> Result<String, jiff::Error> {
    let local = at.to_zoned(TimeZone::posix(PARIS)?).datetime();
    let between = match language {
        "nl" => " om ",
        "en" => " at ",
        _ => " à ",
    };
    Ok(format!("{}{between}{}", long_date(local.date(), language), clock(local, language)))
}

fn language_of(state: &State<'_, '_>) -> String {
    state.lookup("language").and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn unreadable(error: &jiff::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string())
}

/// `{{ consultation.closes | date }}`
pub(crate) fn date_filter(state: &State<'_, '_>, value: &str) -> Result<String, Error> {
    let date: Date = value.parse().map_err(|error| unreadable(&error))?;
    Ok(long_date(date, &language_of(state)))
}

/// `{{ meeting.starts | moment }}`: date and time in France.
pub(crate) fn moment_filter(state: &State<'_, '_>, value: &str) -> Result<String, Error> {
    let at: Timestamp = value.parse().map_err(|error| unreadable(&error))?;
    long_time(at, &language_of(state)).map_err(|error| unreadable(&error))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn dates_are_written_as_people_say_them() {
        let day = date(2027, 1, 15);
        assert_eq!(long_date(day, "fr"), "vendredi 15 janvier 2027");
        assert_eq!(long_date(day, "nl"), "vrijdag 15 januari 2027");
        assert_eq!(long_date(day, "en"), "Friday 15 January 2027");
        assert_eq!(long_date(date(2026, 12, 1), "fr"), "mardi 1er décembre 2026");
    }

    #[test]
    fn times_are_those_of_france_in_winter_and_in_summer() {
        let winter: Timestamp = "2026-12-03T17:30:00Z".parse().unwrap();
        let summer: Timestamp = "2027-06-03T16:00:00Z".parse().unwrap();
        assert_eq!(long_time(winter, "fr").unwrap(), "jeudi 3 décembre 2026 à 18 h 30");
        assert_eq!(long_time(summer, "fr").unwrap(), "jeudi 3 juin 2027 à 18 h");
        assert_eq!(long_time(winter, "nl").unwrap(), "donderdag 3 december 2026 om 18.30 uur");
        assert_eq!(long_time(winter, "en").unwrap(), "Thursday 3 December 2026 at 6.30 pm");
    }
}

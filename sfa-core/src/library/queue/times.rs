//! When something comes again and again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::DateTime;
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::library::{LibraryError, LibraryErrorKind};

/// Stands before the fields of a pattern that is not meant in UTC.
const ZONE: &str = "TZ=";

/// The times of a [`Schedule`](super::Schedule).
///
/// As text they are five fields of cron: minute, hour, day of the month, month, day of the week. They are in UTC unless a
/// zone stands before them: `0 3 * * *` is three o'clock each night, `TZ=Europe/Berlin 30 9 * * MON-FRI` half past nine
/// in Berlin on working days, in summer and in winter.
#[derive(Clone, PartialEq)]
pub struct Times(Kind);

#[derive(Clone, PartialEq)]
enum Kind {
    Every { every_ms: i64, offset_ms: i64 },
    Pattern { text: String, cron: Box<Cron>, zone: Tz },
}

impl Times {
    /// The full hours, days or whatever `every` is, in UTC, and `offset` after each: an `every` of a day with an `offset`
    /// of three hours is three o'clock each night.
    pub fn every(every: Duration, offset: Duration) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        Self(Kind::Every { every_ms: millis(every).max(1), offset_ms: millis(offset) })
    }

    /// The first of them after a moment, both in milliseconds since 1970.
    pub fn next_after_ms(&self, at_ms: i64) -> i64 {
        match &self.0 {
            Kind::Every { every_ms, offset_ms } => {
                let since = at_ms.saturating_sub(*offset_ms).rem_euclid(*every_ms);
                at_ms.saturating_sub(since).saturating_add(*every_ms)
            }
            Kind::Pattern { cron, zone, .. } => next(cron, *zone, at_ms).unwrap_or(i64::MAX),
        }
    }
}

/// Nothing for a pattern that never comes again.
fn next(cron: &Cron, zone: Tz, at_ms: i64) -> Option<i64> {
    let at = DateTime::from_timestamp_millis(at_ms)?.with_timezone(&zone);
    Some(cron.find_next_occurrence(&at, false).ok()?.timestamp_millis())
}

impl FromStr for Times {
    type Err = LibraryError;

    fn from_str(text: &str) -> Result<Self, LibraryError> {
        let invalid = |reason: String| {
            let message =
                format!("{text:?} names no times: {reason}; \"0 3 * * *\" is three o'clock each night");
            LibraryError::new(LibraryErrorKind::Invalid, message)
        };
        let text = text.trim();
        let (zone, fields) = match text.strip_prefix(ZONE) {
            None => (Tz::UTC, text),
            Some(rest) => {
                let (name, fields) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let zone = name.parse().map_err(|_| invalid(format!("there is no zone {name:?}")))?;
                (zone, fields)
            }
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(fields).map_err(|error| invalid(error.to_string()))?;
        if next(&cron, zone, 0).is_none() {
            return Err(invalid("they never come".to_owned()));
        }
        Ok(Self(Kind::Pattern { text: text.to_owned(), cron: Box::new(cron), zone }))
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Every { every_ms, offset_ms } => write!(f, "every {every_ms} ms after {offset_ms} ms"),
            Kind::Pattern { text, .. } => f.write_str(text),
        }
    }
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Times({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn shown(at_ms: i64) -> String {
        DateTime::from_timestamp_millis(at_ms).unwrap().to_rfc3339()
    }

    /// The times of a pattern that follow a moment.
    fn times(pattern: &str, after: &str, count: usize) -> Vec<String> {
        let times: Times = pattern.parse().unwrap();
        let following = std::iter::successors(Some(ms(after)), |&at_ms| Some(times.next_after_ms(at_ms)));
        following.skip(1).take(count).map(shown).collect()
    }

    #[test]
    fn patterns_are_read_in_utc_unless_a_zone_is_named() {
        assert_eq!(
            times("0 3 * * *", "2026-11-30T02:59:59Z", 2),
            ["2026-11-30T03:00:00+00:00", "2026-12-01T03:00:00+00:00"]
        );
        assert_eq!(
            times("TZ=Europe/Berlin 30 9 * * MON-FRI", "2026-03-27T08:30:00Z", 2),
            ["2026-03-30T07:30:00+00:00", "2026-03-31T07:30:00+00:00"],
            "over the week-end on which summer begins there"
        );
        assert_eq!(times("*/20 8-9 1 jan *", "2026-01-01T09:40:00Z", 1), ["2027-01-01T08:00:00+00:00"]);
        assert_eq!(times("0 0 29 2 *", "2026-01-01T00:00:00Z", 1), ["2028-02-29T00:00:00+00:00"]);
    }

    #[test]
    fn a_day_without_that_hour_has_its_time_and_one_with_two_has_it_once() {
        let night = "TZ=Europe/Berlin 30 2 * * *";
        let spring = times(night, "2026-03-28T12:00:00Z", 2);
        assert!(spring[0].starts_with("2026-03-29T01:"), "{spring:?}");
        assert_eq!(spring[1], "2026-03-30T00:30:00+00:00");
        let autumn = times(night, "2026-10-24T12:00:00Z", 2);
        assert!(autumn[0].starts_with("2026-10-25T0"), "{autumn:?}");
        assert_eq!(autumn[1], "2026-10-26T01:30:00+00:00");
    }

    #[test]
    fn what_names_no_times_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "names no times"),
            ("0 3 * *", "names no times"),
            ("0 0 3 * * *", "names no times"),
            ("61 3 * * *", "names no times"),
            ("0 0 30 2 *", "never come"),
            ("TZ=Moon/Crater 0 3 * * *", "Moon/Crater"),
            ("TZ=UTC", "names no times"),
        ] {
            let error = text.parse::<Times>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn spans_are_reckoned_from_full_ones() {
        let hour = Duration::from_secs(3600);
        let nights = Times::every(24 * hour, 3 * hour);
        for (after, next) in [
            ("2026-11-30T02:59:59Z", "2026-11-30T03:00:00Z"),
            ("2026-11-30T03:00:00Z", "2026-12-01T03:00:00Z"),
            ("1969-12-31T12:00:00Z", "1970-01-01T03:00:00Z"),
        ] {
            assert_eq!(nights.next_after_ms(ms(after)), ms(next), "{after}");
        }
        assert_eq!(Times::every(Duration::ZERO, Duration::ZERO).next_after_ms(7), 8);
        assert_eq!(nights.next_after_ms(i64::MAX), i64::MAX);
    }

    #[test]
    fn times_are_told_apart_by_their_text() {
        let nightly: Times = " 0 3 * * * ".parse().unwrap();
        assert_eq!(nightly.to_string(), "0 3 * * *");
        assert_eq!(nightly, "0 3 * * *".parse().unwrap());
        assert_ne!(nightly, "0 4 * * *".parse().unwrap());
    }
}

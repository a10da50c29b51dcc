//! Opening hours: when an agent takes calls.

use crate::error::{Fault, quoted};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;
use std::collections::BTreeSet;

const DAY: u16 = 24 * 60;

/// A period past midnight that is this long is taken for a mistake.
const LONGEST_NIGHT: u16 = 16 * 60;

const WEEK: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Opening hours in a time zone, by weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningHours {
    zone: TimeZone,
    week: [Vec<Period>; 7],
    /// The dates on which no period begins.
    closed_on: BTreeSet<Date>,
}

/// A period in minutes from midnight. One that continues past midnight ends after [`DAY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    from: u16,
    to: u16,
}

impl OpeningHours {
    /// Whether the hours include `now_ms`, ms since 1970. A period that began on an open day continues past midnight.
    pub fn is_open(&self, now_ms: u64) -> bool {
        let now = zoned(&self.zone, now_ms);
        let minute = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        let yesterday = now.date().yesterday().expect("no moment since 1970 is the first day there is");
        self.covers(now.date(), minute) || self.covers(yesterday, minute + DAY)
    }

    fn covers(&self, date: Date, minute: u16) -> bool {
        !self.closed_on.contains(&date)
            && self.week[index(date.weekday())].iter().any(|it| it.from <= minute && minute < it.to)
    }
}

/// Returns the date in the time zone of the hours, or in UTC.
pub(crate) fn day(hours: Option<&OpeningHours>, now_ms: u64) -> String {
    let zone = hours.map_or(TimeZone::UTC, |hours| hours.zone.clone());
    zoned(&zone, now_ms).date().to_string()
}

fn zoned(zone: &TimeZone, now_ms: u64) -> Zoned {
    let now = i64::try_from(now_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    now.unwrap_or(Timestamp::MAX).to_zoned(zone.clone())
}

fn index(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursToml {
    zone: String,
    #[serde(default)]
    monday: Vec<String>,
    #[serde(default)]
    tuesday: Vec<String>,
    #[serde(default)]
    wednesday: Vec<String>,
    #[serde(default)]
    thursday: Vec<String>,
    #[serde(default)]
    friday: Vec<String>,
    #[serde(default)]
    saturday: Vec<String>,
    #[serde(default)]
    sunday: Vec<String>,
    #[serde(default)]
    closed_on: Vec<String>,
}

impl HoursToml {
    pub(crate) fn resolve(self) -> Result<OpeningHours, Fault> {
        let zone = TimeZone::get(&self.zone).map_err(|_| {
            let reason = format!("{} is not a time zone such as \"Europe/Lisbon\"", quoted(&self.zone));
            Fault::new("hours.zone", reason)
        })?;
        let days = [
            self.monday,
            self.tuesday,
            self.wednesday,
            self.thursday,
            self.friday,
            self.saturday,
            self.sunday,
        ];
        let mut week: [Vec<Period>; 7] = Default::default();
        for (day, (written, name)) in days.iter().zip(WEEK).enumerate() {
            week[day] = periods(&format!("hours.{name}"), written)?;
        }
        check_week(&week)?;
        Ok(OpeningHours { zone, week, closed_on: dates(&self.closed_on)? })
    }
}

fn dates(written: &[String]) -> Result<BTreeSet<Date>, Fault> {
    let date = |(index, text): (usize, &String)| {
        let field = format!("hours.closed_on[{index}]");
        let wrong = || Fault::new(field, format!("{} is not a date such as \"2026-12-25\"", quoted(text)));
        let is_date_format =
            text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        text.parse().ok().filter(|_| is_date_format).ok_or_else(wrong)
    };
    written.iter().enumerate().map(date).collect()
}

fn periods(field: &str, written: &[String]) -> Result<Vec<Period>, Fault> {
    let mut periods: Vec<Period> = vec![];
    for (index, text) in written.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let period =
            period(text).map_err(|reason| Fault::new(&field, format!("{} {reason}", quoted(text))))?;
        match periods.last() {
            Some(last) if period.from < last.from => {
                return Err(Fault::new(field, "begins before the previous period; list periods in order"));
            }
            Some(last) if period.from < last.to => {
                return Err(Fault::new(field, "overlaps the previous period"));
            }
            Some(_) | None => periods.push(period),
        }
    }
    Ok(periods)
}

/// Parses `09:00-12:30`; an end before the beginning is on the next day.
fn period(text: &str) -> Result<Period, &'static str> {
    let minutes = |(from, to)| minutes(from).zip(minutes(to));
    let (from, to) = text.split_once('-').and_then(minutes).ok_or("is not like \"09:00-12:30\"")?;
    let to = if to < from { to + DAY } else { to };
    match to - from {
        0 => Err("is empty; write \"00:00-24:00\" for all day"),
        length if to > DAY && length >= LONGEST_NIGHT => Err("ends before it begins"),
        _ => Ok(Period { from, to }),
    }
}

/// Parses `00:00` to `24:00` into minutes.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

/// Checks that no period overlaps the next day's first one, and that at least one day has hours.
fn check_week(week: &[Vec<Period>; 7]) -> Result<(), Fault> {
    if week.iter().all(Vec::is_empty) {
        return Err(Fault::new("hours", "has no hours on any day; omit the table to be always open"));
    }
    for (day, periods) in week.iter().enumerate() {
        let next = (day + 1) % 7;
        if let (Some(last), Some(first)) = (periods.last(), week[next].first())
            && last.to > first.from + DAY
        {
            let field = format!("hours.{}[0]", WEEK[next]);
            return Err(Fault::new(field, format!("overlaps the end of {}", WEEK[day])));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "opening_hours_tests.rs"]
mod tests;

//! Times, lengths and costs as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A date and time in UTC.
pub fn moment(at_ms: u64) -> String {
    at(at_ms).map_or_else(|| "unknown".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The day of a time in UTC, `yyyy-mm-dd`.
pub fn day(at_ms: u64) -> String {
    at(at_ms).map_or_else(|| "unknown".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// When a day in UTC begins, ms since 1970.
pub fn begin_of(day: &str) -> Option<u64> {
    let day: jiff::civil::Date = day.parse().ok()?;
    u64::try_from(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()).ok()
}

/// A length in minutes and seconds.
pub fn length(ms: u64) -> String {
    let seconds = (ms + 500) / 1_000;
    match seconds / 3_600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// Millionths of a dollar as dollars: as many places as tell something.
pub fn dollars(micro: u64) -> String {
    let dollars = micro as f64 / 1e6;
    if dollars >= 1.0 { format!("${dollars:.2}") } else { format!("${dollars:.4}") }
}

/// Hundredths, as the E-model's figures are kept.
pub fn hundredths(of: u64) -> String {
    format!("{}.{:02}", of / 100, of % 100)
}

/// A word of ours, as words: `agent_said_goodbye` is "agent said goodbye".
pub fn words(word: &str) -> String {
    word.replace('_', " ")
}

/// As much of a call's name as is enough to ask for it.
pub fn short(call_ref: &str) -> &str {
    call_ref.get(..12).unwrap_or(call_ref)
}

/// So many of something that is more than one with an `s`.
pub fn plural(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

fn at(at_ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_in_utc() {
        assert_eq!(moment(1_795_305_600_000), "2026-11-22 00:00:00");
        assert_eq!(moment(u64::MAX), "unknown");
        assert_eq!(begin_of("2026-11-22"), Some(1_795_305_600_000));
        assert_eq!(begin_of("yesterday"), None);
    }

    #[test]
    fn lengths_and_costs_are_short() {
        assert_eq!([length(0), length(65_400), length(3_661_000)], ["0:00", "1:05", "1:01:01"]);
        assert_eq!([dollars(12_345), dollars(1_234_567)], ["$0.0123", "$1.23"]);
        assert_eq!(hundredths(404), "4.04");
    }
}

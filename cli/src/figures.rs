//! Formats times, durations and costs for people.

use call::CallRef;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Formats a time as `yyyy-mm-dd hh:mm:ss`, in UTC.
pub(crate) fn moment(at_ms: u64) -> String {
    at(at_ms).map_or_else(|| "unknown".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Returns the UTC day of a time, as `yyyy-mm-dd`.
pub(crate) fn day(at_ms: u64) -> String {
    at(at_ms).map_or_else(|| "unknown".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Returns when a UTC day begins, in ms since 1970; `None` if `day` is not `yyyy-mm-dd`.
pub(crate) fn start_of_day(day: &str) -> Option<u64> {
    let day: jiff::civil::Date = day.parse().ok()?;
    u64::try_from(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()).ok()
}

/// Formats a duration as `m:ss`, or `h:mm:ss` from an hour on.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = (ms + 500) / 1_000;
    match seconds / 3_600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// Formats millionths of a dollar: with four decimals below one dollar, else with two.
pub(crate) fn dollars(micro: u64) -> String {
    let dollars = micro as f64 / 1e6;
    if dollars >= 1.0 { format!("${dollars:.2}") } else { format!("${dollars:.4}") }
}

/// Formats hundredths, the unit in which MOS by the E-model is stored.
pub(crate) fn hundredths(of: u64) -> String {
    format!("{}.{:02}", of / 100, of % 100)
}

/// Replaces underscores by spaces: `agent_said_goodbye` becomes "agent said goodbye".
pub(crate) fn words(word: &str) -> String {
    word.replace('_', " ")
}

/// Returns the first 12 characters of a call's reference, which `ahoy show` accepts.
pub(crate) fn short(call_ref: &CallRef) -> &str {
    let call_ref = call_ref.as_str();
    call_ref.get(..12).unwrap_or(call_ref)
}

/// Formats a count with its noun, with an `s` unless the count is 1.
pub(crate) fn plural(n: u64, one: &str) -> String {
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
        assert_eq!(start_of_day("2026-11-22"), Some(1_795_305_600_000));
        assert_eq!(start_of_day("yesterday"), None);
    }

    #[test]
    fn durations_and_costs_are_short() {
        assert_eq!([duration(0), duration(65_400), duration(3_661_000)], ["0:00", "1:05", "1:01:01"]);
        assert_eq!([dollars(12_345), dollars(1_234_567)], ["$0.0123", "$1.23"]);
        assert_eq!(hundredths(404), "4.04");
    }
}

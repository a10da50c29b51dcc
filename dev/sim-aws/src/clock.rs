//! Writes moments the way AWS does.

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(crate) fn millis(moment: SystemTime) -> u64 {
    let since = moment.duration_since(UNIX_EPOCH).expect("this clock is past 1970");
    u64::try_from(since.as_millis()).expect("milliseconds since 1970 fit for ages")
}

/// Seconds since 1970 with a fraction, the timestamp of awsJson.
pub(crate) fn seconds(moment: SystemTime) -> f64 {
    millis(moment) as f64 / 1_000.0
}

/// `2026-11-22T08:00:00.123Z`
pub(crate) fn iso(moment: SystemTime) -> String {
    DateTime::from_millis(i64::try_from(millis(moment)).expect("it fits"))
        .fmt(DateTimeFormat::DateTime)
        .expect("this century can be written")
}

/// `2026-11-22T08:00:00Z`, as EventBridge stamps its events.
pub(crate) fn iso_seconds(moment: SystemTime) -> String {
    format!("{}Z", &iso(moment)[..19])
}

/// `22/Nov/2026:08:00:00 +0000`, as in an access log and in a Function URL's `requestContext`.
pub(crate) fn access_log(moment: SystemTime) -> String {
    let iso = iso(moment);
    let (year, month, day, time) = (&iso[0..4], &iso[5..7], &iso[8..10], &iso[11..19]);
    let month = MONTHS[month.parse::<usize>().expect("a month is a number") - 1];
    format!("{day}/{month}/{year}:{time} +0000")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moment_is_written_in_the_five_ways_of_aws() {
        let moment = UNIX_EPOCH + Duration::from_millis(1_583_348_638_390);

        assert_eq!(millis(moment), 1_583_348_638_390);
        assert_eq!(seconds(moment), 1_583_348_638.39);
        assert_eq!(iso(moment), "2020-03-04T19:03:58.39Z");
        assert_eq!(iso_seconds(moment), "2020-03-04T19:03:58Z");
        assert_eq!(access_log(moment), "04/Mar/2020:19:03:58 +0000");
    }
}

//! Writes moments the way AWS does.

use jiff::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

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
    timestamp(moment).to_string()
}

/// `2026-11-22T08:00:00Z`, as EventBridge stamps its events.
pub(crate) fn iso_seconds(moment: SystemTime) -> String {
    timestamp(moment).strftime("%FT%TZ").to_string()
}

/// `22/Nov/2026:08:00:00 +0000`, as in an access log and in a Function URL's `requestContext`.
pub(crate) fn access_log(moment: SystemTime) -> String {
    timestamp(moment).strftime("%d/%b/%Y:%T +0000").to_string()
}

fn timestamp(moment: SystemTime) -> Timestamp {
    Timestamp::from_millisecond(millis(moment) as i64).expect("this century can be written")
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

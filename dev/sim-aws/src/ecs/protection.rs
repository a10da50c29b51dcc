//! A task's protection from scale-in, and its expiry.

use std::time::{Duration, SystemTime};

/// How long protection lasts by default (`expiresInMinutes`).
const DEFAULT_MINUTES: i64 = 120;
/// The longest it may last: 48 hours.
const LONGEST_MINUTES: i64 = 2_880;

/// A task's scale-in protection. It is off until set, and off again when it expires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Protection {
    until: Option<SystemTime>,
}

/// `expiresInMinutes` was not between 1 and 2880.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expiresInMinutes value must be between 1 and 2880, inclusive.")]
pub(super) struct OutOfRange;

impl Protection {
    /// Turns protection on for this many minutes, or off.
    pub(super) fn new(enabled: bool, minutes: Option<i64>, now: SystemTime) -> Result<Self, OutOfRange> {
        let minutes = minutes.unwrap_or(DEFAULT_MINUTES);
        if !(1..=LONGEST_MINUTES).contains(&minutes) {
            return Err(OutOfRange);
        }
        let lasts = Duration::from_secs(60 * minutes.unsigned_abs());
        Ok(Self { until: enabled.then(|| now + lasts) })
    }

    /// When it ends; `None` when it is off.
    pub(super) fn expires(&self, now: SystemTime) -> Option<SystemTime> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn protection_lasts_two_hours_unless_told_otherwise() {
        let two_hours = Protection::new(true, None, T0).unwrap();
        let a_minute = Protection::new(true, Some(1), T0).unwrap();

        assert_eq!(two_hours.expires(T0), Some(T0 + Duration::from_secs(7_200)));
        assert_eq!(a_minute.expires(T0 + Duration::from_secs(59)), Some(T0 + Duration::from_secs(60)));
        assert_eq!(a_minute.expires(T0 + Duration::from_secs(60)), None);
    }

    #[test]
    fn protection_can_be_given_up() {
        assert_eq!(Protection::new(false, None, T0).unwrap().expires(T0), None);
    }

    #[test]
    fn protection_beyond_48_hours_is_refused() {
        assert_eq!(Protection::new(true, Some(2_881), T0), Err(OutOfRange));
        assert_eq!(Protection::new(true, Some(0), T0), Err(OutOfRange));
        assert!(Protection::new(true, Some(2_880), T0).is_ok());
    }
}

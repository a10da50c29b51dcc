//! Turns instants into Unix times, as Meta's messages have them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One instant whose Unix time is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    unix: Duration,
}

impl Clock {
    /// A clock that agrees with the system's.
    pub(crate) fn starting_now() -> Clock {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
        Clock { start: Instant::now(), unix }
    }

    /// The same clock, this many seconds ahead; behind, below zero.
    pub(crate) fn shifted(self, seconds: i64) -> Clock {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let unix = if seconds < 0 { self.unix.saturating_sub(by) } else { self.unix + by };
        Clock { unix, ..self }
    }

    pub(crate) fn unix_seconds(&self, at: Instant) -> u64 {
        self.unix(at).as_secs()
    }

    pub(crate) fn unix_ms(&self, at: Instant) -> u64 {
        self.unix(at).as_millis() as u64
    }

    fn unix(&self, at: Instant) -> Duration {
        self.unix + at.saturating_duration_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_can_be_behind_or_ahead() {
        let clock = Clock::starting_now();
        let now = Instant::now();

        assert_eq!(clock.shifted(-120).unix_seconds(now) + 120, clock.unix_seconds(now));
        assert_eq!(clock.shifted(120).unix_seconds(now) - 120, clock.unix_seconds(now));
    }
}

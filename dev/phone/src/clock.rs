//! Turns instants into the Unix times Meta's words use.

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

    /// Whole seconds since 1970.
    pub(crate) fn unix_seconds(&self, at: Instant) -> u64 {
        self.unix(at).as_secs()
    }

    /// Milliseconds since 1970.
    pub(crate) fn unix_ms(&self, at: Instant) -> u64 {
        self.unix(at).as_millis() as u64
    }

    fn unix(&self, at: Instant) -> Duration {
        self.unix + at.saturating_duration_since(self.start)
    }
}

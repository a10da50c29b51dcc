//! Limits how often the control API logs refusals: one line a second, with the number of refusals suppressed since the last one.

use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(1);

/// When a refusal was last logged, and how many were suppressed since.
#[derive(Debug, Default)]
pub(super) struct RefusalLog {
    logged_at: Option<Instant>,
    suppressed: u32,
}

impl RefusalLog {
    /// Notes a refusal. `Some` if it is to be logged, with how many were suppressed since the last line.
    pub(super) fn handle(&mut self, now: Instant) -> Option<u32> {
        if self.logged_at.is_some_and(|at| now.duration_since(at) < INTERVAL) {
            self.suppressed += 1;
            return None;
        }
        self.logged_at = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_logged_once_a_second_and_counted() {
        let (mut log, start) = (RefusalLog::default(), Instant::now());

        assert_eq!(log.handle(start), Some(0));
        assert_eq!(log.handle(start + Duration::from_millis(1)), None);
        assert_eq!(log.handle(start + Duration::from_millis(999)), None);
        assert_eq!(log.handle(start + INTERVAL), Some(2));
    }
}

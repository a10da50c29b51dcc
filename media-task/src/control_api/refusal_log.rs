//! Decides how loudly the door complains: once a second, with the number of those that it says nothing of.

use std::time::{Duration, Instant};

const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// What was said, and what was not.
#[derive(Debug, Default)]
pub(super) struct RefusalLog {
    said_at: Option<Instant>,
    unsaid: u32,
}

impl RefusalLog {
    /// Somebody was turned away. `Some` if that is to be said, with how many were turned away since the last time.
    pub(super) fn handle(&mut self, now: Instant) -> Option<u32> {
        if self.said_at.is_some_and(|at| now.duration_since(at) < AT_MOST_EVERY) {
            self.unsaid += 1;
            return None;
        }
        self.said_at = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_strangers_is_told_of_once_a_second_and_counted() {
        let (mut complaints, start) = (RefusalLog::default(), Instant::now());

        assert_eq!(complaints.handle(start), Some(0));
        assert_eq!(complaints.handle(start + Duration::from_millis(1)), None);
        assert_eq!(complaints.handle(start + Duration::from_millis(999)), None);
        assert_eq!(complaints.handle(start + AT_MOST_EVERY), Some(2));
    }
}

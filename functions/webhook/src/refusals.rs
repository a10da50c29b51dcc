//! Counts requests with a bad signature, so that a flood of them costs one log line a second.

use std::time::{Duration, Instant};

/// The shortest time between two reports.
const EVERY: Duration = Duration::from_secs(1);

/// The number of refused requests not yet reported.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    unreported: u64,
    reported_at: Option<Instant>,
}

impl Refusals {
    pub(crate) fn count(&mut self) {
        self.unreported += 1;
    }

    /// Returns how many requests were refused since the last report, if it is time for one. Later refusals are reported with a later
    /// request: between two requests Lambda stops the process.
    pub(crate) fn poll_count(&mut self, now: Instant) -> Option<u64> {
        let is_soon = self.reported_at.is_some_and(|reported_at| now < reported_at + EVERY);
        if self.unreported == 0 || is_soon {
            return None;
        }
        self.reported_at = Some(now);
        Some(std::mem::take(&mut self.unreported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_reported_once_a_second_and_fully_counted() {
        let (mut refusals, begun) = (Refusals::default(), Instant::now());
        let mut reports = vec![];
        for n in 0..3_000 {
            refusals.count();
            reports.extend(refusals.poll_count(begun + Duration::from_millis(n)));
        }
        reports.extend(refusals.poll_count(begun + Duration::from_secs(60)));

        assert_eq!(reports, [1, 1_000, 1_000, 999]);
        assert_eq!(refusals.poll_count(begun + Duration::from_secs(90)), None);
    }

    #[test]
    fn a_single_refusal_is_reported_at_once() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());

        refusals.count();

        assert_eq!(refusals.poll_count(now), Some(1));
    }
}

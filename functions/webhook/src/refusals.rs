//! Counts refused webhooks, so that a flood of them costs one log line a second.

use std::time::{Duration, Instant};

/// How often they are told at most.
const EVERY: Duration = Duration::from_secs(1);

/// Webhooks that were refused.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    untold: u64,
    told_at: Option<Instant>,
}

impl Refusals {
    /// One was refused.
    pub(crate) fn note(&mut self) {
        self.untold += 1;
    }

    /// How many were refused since this was told last, if it is time to tell. What is refused after that is told with a later request:
    /// between two requests Lambda stops the process.
    pub(crate) fn poll_count(&mut self, now: Instant) -> Option<u64> {
        let is_soon = self.told_at.is_some_and(|told_at| now < told_at + EVERY);
        if self.untold == 0 || is_soon {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_once_a_second_and_every_one_of_it_counts() {
        let (mut refusals, begun) = (Refusals::default(), Instant::now());
        let mut told = vec![];
        for n in 0..3_000 {
            refusals.note();
            told.extend(refusals.poll_count(begun + Duration::from_millis(n)));
        }
        told.extend(refusals.poll_count(begun + Duration::from_secs(60)));

        assert_eq!(told, [1, 1_000, 1_000, 999]);
        assert_eq!(refusals.poll_count(begun + Duration::from_secs(90)), None);
    }

    #[test]
    fn a_single_one_is_told_at_once() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());

        refusals.note();

        assert_eq!(refusals.poll_count(now), Some(1));
    }
}

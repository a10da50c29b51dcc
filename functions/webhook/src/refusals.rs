//! Counts refused webhooks, so that a flood of them costs one log line for every ten.

use std::time::{Duration, Instant};

/// How often they are told at most, while they are few.
const EVERY: Duration = Duration::from_secs(1);

/// So many are told at once: a flood may be over before the second is, and with no later request they would stay untold.
const MANY: u64 = 10;

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

    /// How many were refused since this was told last, if it is time to tell or they are many. What is refused after that is told with a later request:
    /// between two requests Lambda stops the process.
    pub(crate) fn poll_count(&mut self, now: Instant) -> Option<u64> {
        let is_soon = self.told_at.is_some_and(|told_at| now < told_at + EVERY);
        if self.untold == 0 || (is_soon && self.untold < MANY) {
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
    fn a_flood_is_told_in_tens_and_every_one_of_it_counts() {
        let (mut refusals, begun) = (Refusals::default(), Instant::now());
        let mut told = vec![];
        for n in 0..3_000 {
            refusals.note();
            told.extend(refusals.poll_count(begun + Duration::from_millis(n)));
        }
        told.extend(refusals.poll_count(begun + Duration::from_secs(60)));

        assert_eq!((told[0], told.iter().sum::<u64>()), (1, 3_000));
        assert!(told[1..].iter().all(|count| *count == 10 || told.last() == Some(count)), "{told:?}");
        assert_eq!(refusals.poll_count(begun + Duration::from_secs(90)), None);
    }

    #[test]
    fn a_flood_shorter_than_a_second_leaves_at_most_nine_untold() {
        let (mut refusals, begun) = (Refusals::default(), Instant::now());
        let mut told = 0;
        for n in 0..30 {
            refusals.note();
            told += refusals.poll_count(begun + Duration::from_millis(n)).unwrap_or(0);
        }

        assert_eq!(told, 21);
    }

    #[test]
    fn a_single_one_is_told_at_once() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());

        refusals.note();

        assert_eq!(refusals.poll_count(now), Some(1));
    }
}

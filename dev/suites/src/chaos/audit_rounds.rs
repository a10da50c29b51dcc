//! Decides when the audit is over: once two audits in a row, some seconds apart, found nothing wrong.

use std::time::{Duration, Instant};

/// The time between two audits while something is wrong.
const AUDIT_EVERY: Duration = Duration::from_secs(2);

/// How long after a first clean audit comes the second: something done twice may reach the table late.
const CONFIRMED_AFTER: Duration = Duration::from_secs(6);

#[derive(Debug)]
pub(super) struct Audits {
    give_up_at: Instant,
    was_clean: bool,
}

impl Audits {
    /// Audits that are given up at a time, unless they are clean.
    pub(super) fn until(give_up_at: Instant) -> Self {
        Self { give_up_at, was_clean: false }
    }

    /// How long to wait for the next audit; `None` after the last.
    pub(super) fn handle(&mut self, is_clean: bool, now: Instant) -> Option<Duration> {
        match (is_clean, std::mem::replace(&mut self.was_clean, is_clean)) {
            (true, true) => None,
            (true, false) => Some(CONFIRMED_AFTER),
            (false, _) if now >= self.give_up_at => None,
            (false, _) => Some(AUDIT_EVERY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_settled_by_two_clean_audits_in_a_row() {
        let start = Instant::now();
        let mut audits = Audits::until(start + Duration::from_secs(40));

        assert_eq!(audits.handle(false, start), Some(AUDIT_EVERY));
        assert_eq!(audits.handle(true, start), Some(CONFIRMED_AFTER));
        assert_eq!(audits.handle(false, start), Some(AUDIT_EVERY), "something came late");
        assert_eq!(audits.handle(true, start), Some(CONFIRMED_AFTER));
        assert_eq!(audits.handle(true, start), None);
    }

    #[test]
    fn accounts_that_never_fit_are_given_up() {
        let (start, patience) = (Instant::now(), Duration::from_secs(40));
        let mut audits = Audits::until(start + patience);

        assert_eq!(audits.handle(false, start + patience - AUDIT_EVERY), Some(AUDIT_EVERY));
        assert_eq!(audits.handle(false, start + patience), None);
    }
}

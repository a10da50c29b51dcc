//! Decides when a cached secret is fetched again: after five minutes, or when it fails, and at most once a minute.

use std::time::{Duration, Instant};

/// The shortest interval between fetches, so that bad signatures cannot cause a storm of them.
const FETCH_INTERVAL: Duration = Duration::from_secs(60);

/// The age at which a secret is fetched again though nothing failed.
const MAX_AGE: Duration = Duration::from_secs(300);

/// The age of a cached secret, and the time of the last repeated fetch.
#[derive(Debug)]
pub(crate) struct Age {
    fetched_at: Instant,
    refetched_at: Option<Instant>,
}

impl Age {
    /// Returns the age of a secret at its first fetch. That fetch does not count toward the limit: a rotation right after a process has
    /// started must be noticed as soon as a later one.
    pub(crate) fn new(now: Instant) -> Self {
        Self { fetched_at: now, refetched_at: None }
    }

    /// Whether the secret is due for a fetch though nothing failed.
    pub(crate) fn is_old(&self, now: Instant) -> bool {
        now.duration_since(self.fetched_at) >= MAX_AGE && self.may_be_fetched(now)
    }

    /// Returns whether a fetch is allowed now, and counts it if so.
    pub(crate) fn handle_fetch_request(&mut self, now: Instant) -> bool {
        let may = self.may_be_fetched(now);
        if may {
            self.refetched_at = Some(now);
        }
        may
    }

    /// Records a repeated fetch.
    pub(crate) fn handle_fetched(&mut self, now: Instant) {
        self.fetched_at = now;
    }

    fn may_be_fetched(&self, now: Instant) -> bool {
        self.refetched_at.is_none_or(|at| now.duration_since(at) >= FETCH_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_fetched_again_at_most_once_a_minute() {
        let start = Instant::now();
        let mut age = Age::new(start);

        assert!(age.handle_fetch_request(start), "a process that has just started may look");
        assert!(!age.handle_fetch_request(start + Duration::from_secs(59)));
        assert!(age.handle_fetch_request(start + Duration::from_secs(60)));
        assert!(!age.handle_fetch_request(start + Duration::from_secs(61)));
    }

    #[test]
    fn a_secret_is_due_five_minutes_after_a_fetch() {
        let start = Instant::now();
        let mut age = Age::new(start);
        let later = start + Duration::from_secs(300);

        assert!(!age.is_old(later - Duration::from_secs(1)));
        assert!(age.is_old(later));
        assert!(age.handle_fetch_request(later));
        age.handle_fetched(later);
        assert!(!age.is_old(later + Duration::from_secs(299)));
    }

    #[test]
    fn failed_fetches_are_retried_once_a_minute() {
        let start = Instant::now();
        let mut age = Age::new(start);
        let later = start + Duration::from_secs(300);
        assert!(age.handle_fetch_request(later));

        assert!(!age.is_old(later + Duration::from_secs(59)));
        assert!(age.is_old(later + Duration::from_secs(60)));
    }
}

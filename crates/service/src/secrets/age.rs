//! Decides when a secret is fetched again: five minutes after it was, or when it fails, and at most once a minute.

use std::time::{Duration, Instant};

/// How soon a secret may be looked up again. So bad signatures cannot cause a storm of fetches.
const AT_MOST_EVERY: Duration = Duration::from_secs(60);

/// How old a secret may be that nothing is wrong with.
const OLD: Duration = Duration::from_secs(300);

/// How old a secret is, and when it was last looked up again.
#[derive(Debug)]
pub(crate) struct Age {
    fetched_at: Instant,
    looked_again_at: Option<Instant>,
}

impl Age {
    /// It was fetched for the first time. That does not count as looking again: what is changed right after a process has
    /// started must work as soon as what is changed later.
    pub(crate) fn new(now: Instant) -> Self {
        Self { fetched_at: now, looked_again_at: None }
    }

    /// Whether it is time to look, though nothing is wrong.
    pub(crate) fn is_old(&self, now: Instant) -> bool {
        now.duration_since(self.fetched_at) >= OLD && self.may_be_looked_up(now)
    }

    /// Somebody wants it looked up. Whether they may.
    pub(crate) fn handle_look(&mut self, now: Instant) -> bool {
        let may = self.may_be_looked_up(now);
        if may {
            self.looked_again_at = Some(now);
        }
        may
    }

    /// It was fetched again.
    pub(crate) fn handle_fetched(&mut self, now: Instant) {
        self.fetched_at = now;
    }

    fn may_be_looked_up(&self, now: Instant) -> bool {
        self.looked_again_at.is_none_or(|at| now.duration_since(at) >= AT_MOST_EVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_looked_up_again_at_most_once_a_minute() {
        let start = Instant::now();
        let mut age = Age::new(start);

        assert!(age.handle_look(start), "a process that has just started may look");
        assert!(!age.handle_look(start + Duration::from_secs(59)));
        assert!(age.handle_look(start + Duration::from_secs(60)));
        assert!(!age.handle_look(start + Duration::from_secs(61)));
    }

    #[test]
    fn a_secret_is_old_after_five_minutes_and_young_again_once_it_was_fetched() {
        let start = Instant::now();
        let mut age = Age::new(start);
        let later = start + Duration::from_secs(300);

        assert!(!age.is_old(later - Duration::from_secs(1)));
        assert!(age.is_old(later));
        assert!(age.handle_look(later));
        age.handle_fetched(later);
        assert!(!age.is_old(later + Duration::from_secs(299)));
    }

    #[test]
    fn an_old_secret_that_cannot_be_had_is_tried_once_a_minute() {
        let start = Instant::now();
        let mut age = Age::new(start);
        let later = start + Duration::from_secs(300);
        assert!(age.handle_look(later));

        assert!(!age.is_old(later + Duration::from_secs(59)));
        assert!(age.is_old(later + Duration::from_secs(60)));
    }
}

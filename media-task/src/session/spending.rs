//! Decides when it is counted what a call has cost by now, and when the day's cap ends it.
//!
//! What is counted stays counted if the task dies, and the cap binds calls that go on, not only those that ring.

use std::time::{Duration, Instant};

/// How often it is counted.
const EVERY: Duration = Duration::from_secs(60);

/// The same where there is a cap. A call hears that the cap is reached at the second count after that, and has 15 s for its
/// goodbye: so none goes on for more than a minute, and for as much longer as the table does not answer.
const EVERY_CAPPED: Duration = Duration::from_secs(15);

/// A count that is not answered within this has failed.
pub(super) const COUNT_TAKES: Duration = Duration::from_secs(15);

/// How soon after it began a count that has failed is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The most that may be spent in a day, and what the calls of this call's number have spent.
#[derive(Debug)]
pub(super) struct SpendingTracker {
    /// In millionths of a dollar.
    cap: Option<u64>,
    next: Option<Instant>,
    /// What is counted for certain.
    counted: u64,
    /// What a count was asked for that has not been answered, or has failed: it may be counted.
    asked: Option<u64>,
    is_counting: bool,
    /// When the last count began, and whether it was one that had failed before: then there is more to count.
    began: Option<Instant>,
    was_asked_again: bool,
}

/// From what is counted to what is to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl SpendingTracker {
    /// With a cap in dollars a day, if there is one.
    pub(super) fn new(dollars_a_day: Option<f64>) -> Self {
        // As much as a float says; a cap is far from its limits.
        let cap = dollars_a_day.map(|dollars| (dollars * 1e6) as u64);
        Self {
            cap,
            next: None,
            counted: 0,
            asked: None,
            is_counting: false,
            began: None,
            was_asked_again: false,
        }
    }

    /// The line is open: from now on it is counted.
    pub(super) fn open(&mut self, now: Instant) {
        self.next = Some(now + self.every());
    }

    pub(super) fn cap(&self) -> Option<u64> {
        self.cap
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next.filter(|_| !self.is_counting)
    }

    /// What to count now, of a call that has cost so much. An earlier count that may have been made is asked for again first.
    pub(super) fn poll(&mut self, spent: u64, now: Instant) -> Option<Count> {
        self.poll_timeout().filter(|at| *at <= now)?;
        self.is_counting = true;
        self.next = Some(now + self.every());
        (self.began, self.was_asked_again) = (Some(now), self.asked.is_some());
        let to = self.asked.unwrap_or(spent.max(self.counted));
        self.asked = Some(to);
        Some(Count { from: self.counted, to })
    }

    /// A count was made, or has failed.
    pub(super) fn note_answer(&mut self, is_made: bool) {
        self.is_counting = false;
        if !is_made {
            self.next = self.began.map(|began| began + AGAIN_AFTER);
            return;
        }
        if let Some(asked) = self.asked.take() {
            self.counted = asked;
        }
        if self.was_asked_again {
            self.next = self.began;
        }
    }

    /// Whether a count is under way.
    pub(super) fn is_counting(&self) -> bool {
        self.is_counting
    }

    /// How much is counted: two figures while one of them may be.
    pub(super) fn counted(&self) -> Vec<u64> {
        [Some(self.counted), self.asked.filter(|asked| *asked != self.counted)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Whether the cap is reached, now that the day's calls have cost so much.
    pub(super) fn is_reached(&self, day: u64) -> bool {
        self.cap.is_some_and(|cap| day >= cap)
    }

    fn every(&self) -> Duration {
        if self.cap.is_some() { EVERY_CAPPED } else { EVERY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_counted_each_minute_and_four_times_a_minute_under_a_cap() {
        let start = Instant::now();
        for (cap, every) in [(None, 60), (Some(1.0), 15)] {
            let mut spending = SpendingTracker::new(cap);
            assert_eq!(spending.poll(7, start + secs(600)), None, "the line is not open");
            spending.open(start);

            assert_eq!(spending.poll_timeout(), Some(start + secs(every)));
            assert_eq!(spending.poll(7, start + secs(every)), Some(Count { from: 0, to: 7 }));
            assert_eq!(spending.poll_timeout(), None, "one count at a time");
            spending.note_answer(true);
            assert_eq!(spending.poll(9, start + secs(2 * every)), Some(Count { from: 7, to: 9 }));
        }
    }

    #[test]
    fn a_count_whose_reply_is_lost_is_asked_for_again() {
        let (start, mut spending) = (Instant::now(), SpendingTracker::new(Some(1.0)));
        spending.open(start);
        assert_eq!(spending.counted(), [0]);
        spending.poll(7, start + secs(15));
        assert_eq!(spending.counted(), [0, 7], "it may be counted already");
        spending.note_answer(false);

        assert_eq!(spending.poll(9, start + secs(19)), None);
        assert_eq!(spending.poll(9, start + secs(20)), Some(Count { from: 0, to: 7 }));
        spending.note_answer(true);
        assert_eq!(spending.counted(), [7]);
        assert_eq!(spending.poll(9, start + secs(20)), Some(Count { from: 7, to: 9 }), "what came since");
        spending.note_answer(true);
        assert_eq!(spending.poll_timeout(), Some(start + secs(35)));
    }

    #[test]
    fn a_cap_is_reached_when_the_day_has_cost_it() {
        let capped = SpendingTracker::new(Some(0.5));

        assert_eq!((capped.is_reached(499_999), capped.is_reached(500_000)), (false, true));
        assert!(!SpendingTracker::new(None).is_reached(u64::MAX));
    }

    #[test]
    fn calls_overspend_together_by_less_than_a_minute_each() {
        const A_SECOND: u64 = 1_000;
        for calls in [1, 2, 7, 40] {
            let start = Instant::now();
            let mut owners: Vec<_> = (0..calls)
                .map(|n| {
                    let mut spending = SpendingTracker::new(Some(1.0));
                    spending.open(start + secs(n * 7 % 15));
                    (spending, 0_u64, None::<Instant>, n)
                })
                .collect();
            let mut day = 0;

            for second in 0..2_000 {
                let now = start + secs(second);
                for (spending, spent, leaves_at, counts) in &mut owners {
                    if leaves_at.is_some_and(|at| at <= now) {
                        continue;
                    }
                    *spent += A_SECOND;
                    if let Some(count) = spending.poll(*spent, now) {
                        *counts += 1;
                        let is_lost = *counts % 3 == 0;
                        day += if is_lost { 0 } else { count.to - count.from };
                        spending.note_answer(!is_lost);
                        if spending.is_reached(day) {
                            leaves_at.get_or_insert(now + secs(15));
                        }
                    }
                }
            }

            let all: u64 = owners.iter().map(|(_, spent, _, _)| *spent).sum();
            assert!(all - 1_000_000 < calls * 60 * A_SECOND, "{calls} calls spent {all}");
        }
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }
}

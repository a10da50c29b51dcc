//! Decides when a running call's cost is counted in the table, and when the day's spending cap ends the call.
//!
//! What is counted survives the task's death, and the cap ends running calls, instead of only refusing new ones.

use std::time::{Duration, Instant};

/// How often the cost is counted without a cap.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// How often it is counted under a cap. A call learns that the cap is reached at the second count after that, and has 15 s for its
/// goodbye: no call overspends by more than a minute, plus the time for which the table does not answer.
const COUNT_EVERY_CAPPED: Duration = Duration::from_secs(15);

/// How long a count may take before it has failed.
pub(super) const COUNT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long after its start a failed count is retried.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The counting of one call's cost against the day's cap of its number. Amounts are millionths of a dollar.
#[derive(Debug)]
pub(super) struct SpendingTracker {
    /// The day's cap.
    cap: Option<u64>,
    next: Option<Instant>,
    /// The amount that is certainly counted.
    counted: u64,
    /// The amount of a count that is under way or has failed: it may be counted.
    asked: Option<u64>,
    is_counting: bool,
    /// When the last count began, and whether it retried a failed one: then there is more to count.
    began: Option<Instant>,
    was_retry: bool,
}

/// An increment to count, from one total to the next, in millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl SpendingTracker {
    /// Returns a tracker with a cap in dollars a day, if there is one.
    pub(super) fn new(dollars_a_day: Option<f64>) -> Self {
        // Truncation is harmless: no cap comes near the limits of either type.
        let cap = dollars_a_day.map(|dollars| (dollars * 1e6) as u64);
        Self { cap, next: None, counted: 0, asked: None, is_counting: false, began: None, was_retry: false }
    }

    /// Starts counting: the call is open.
    pub(super) fn open(&mut self, now: Instant) {
        self.next = Some(now + self.interval());
    }

    pub(super) fn cap(&self) -> Option<u64> {
        self.cap
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next.filter(|_| !self.is_counting)
    }

    /// Returns what to count now, given the call's cost so far. A count whose outcome is unknown is repeated first.
    pub(super) fn poll(&mut self, spent: u64, now: Instant) -> Option<Count> {
        self.poll_timeout().filter(|at| *at <= now)?;
        self.is_counting = true;
        self.next = Some(now + self.interval());
        (self.began, self.was_retry) = (Some(now), self.asked.is_some());
        let to = self.asked.unwrap_or(spent.max(self.counted));
        self.asked = Some(to);
        Some(Count { from: self.counted, to })
    }

    /// Notes that the count under way was made, or has failed.
    pub(super) fn note_answer(&mut self, succeeded: bool) {
        self.is_counting = false;
        if !succeeded {
            self.next = self.began.map(|began| began + RETRY_AFTER);
            return;
        }
        if let Some(asked) = self.asked.take() {
            self.counted = asked;
        }
        if self.was_retry {
            self.next = self.began;
        }
    }

    pub(super) fn is_counting(&self) -> bool {
        self.is_counting
    }

    /// Returns the totals that may be counted: two of them while the outcome of a count is unknown.
    pub(super) fn counted(&self) -> Vec<u64> {
        [Some(self.counted), self.asked.filter(|asked| *asked != self.counted)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Whether the day's spending has reached the cap.
    pub(super) fn is_reached(&self, day: u64) -> bool {
        self.cap.is_some_and(|cap| day >= cap)
    }

    fn interval(&self) -> Duration {
        if self.cap.is_some() { COUNT_EVERY_CAPPED } else { COUNT_EVERY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_minute_and_four_times_a_minute_under_a_cap() {
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
    fn a_count_whose_reply_is_lost_is_repeated() {
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
    fn the_cap_is_reached_when_the_day_has_spent_it() {
        let capped = SpendingTracker::new(Some(0.5));

        assert_eq!((capped.is_reached(499_999), capped.is_reached(500_000)), (false, true));
        assert!(!SpendingTracker::new(None).is_reached(u64::MAX));
    }

    #[test]
    fn calls_overspend_by_less_than_a_minute_each() {
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

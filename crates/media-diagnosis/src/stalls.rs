//! Measures how late the task has woken up within the last seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Shorter delays are normal on a busy machine.
const MIN_STALL: Duration = Duration::from_millis(200);

/// This much within [`WINDOW`] is audible, and makes all other evidence doubtful.
const MAX_TOTAL: Duration = Duration::from_secs(1);

const WINDOW: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Default)]
pub(crate) struct Stalls {
    recent: VecDeque<(Instant, Duration)>,
}

/// The total and the number of stalls within [`WINDOW`] once they are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyStalls {
    pub(crate) total: Duration,
    pub(crate) times: usize,
}

impl Stalls {
    /// Notes that the task ran `late`. Returns how much of that is a stall, and whether the stalls are too many by
    /// now.
    pub(crate) fn note(&mut self, late: Duration, now: Instant) -> (Duration, Option<TooManyStalls>) {
        if late < MIN_STALL {
            return (Duration::ZERO, None);
        }
        self.recent.retain(|(at, _)| now.saturating_duration_since(*at) < WINDOW);
        self.recent.push_back((now, late));
        let total = self.recent.iter().map(|(_, late)| *late).sum();
        let too_many = TooManyStalls { total, times: self.recent.len() };
        (late, (total >= MAX_TOTAL).then_some(too_many))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stalls_are_too_many_only_within_a_short_time() {
        let (start, late) = (Instant::now(), Duration::from_millis(400));
        let (mut dense, mut sparse) = (Stalls::default(), Stalls::default());
        let times = |stalls: &mut Stalls, every: u64| -> Vec<_> {
            let at = |n| start + Duration::from_secs(every * n);
            (1..=3).map(|n| stalls.note(late, at(n)).1.map(|too_many| too_many.times)).collect()
        };

        assert_eq!(times(&mut dense, 1), [None, None, Some(3)]);
        assert_eq!(times(&mut sparse, 6), [None, None, None]);
    }

    #[test]
    fn a_short_delay_is_no_stall() {
        let mut stalls = Stalls::default();

        assert_eq!(stalls.note(Duration::from_millis(199), Instant::now()), (Duration::ZERO, None));
    }
}

//! How late the task woke up lately, in all.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Less than this is a busy machine's everyday.
const NOTED: Duration = Duration::from_millis(200);

/// So much within [`LATELY`] is heard, and makes everything else that was seen doubtful.
const TOO_MUCH: Duration = Duration::from_secs(1);

const LATELY: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Default)]
pub(crate) struct Stalls {
    lately: VecDeque<(Instant, Duration)>,
}

/// That it was too much: in all, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLate {
    pub(crate) in_all: Duration,
    pub(crate) times: usize,
}

impl Stalls {
    /// Notes that the task ran so much later than it wanted to. How much of that nobody can be blamed for, and whether
    /// it is too much by now.
    pub(crate) fn note(&mut self, late: Duration, now: Instant) -> (Duration, Option<TooLate>) {
        if late < NOTED {
            return (Duration::ZERO, None);
        }
        self.lately.retain(|(at, _)| now.saturating_duration_since(*at) < LATELY);
        self.lately.push_back((now, late));
        let in_all = self.lately.iter().map(|(_, late)| *late).sum();
        let too_late = TooLate { in_all, times: self.lately.len() };
        (late, (in_all >= TOO_MUCH).then_some(too_late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_stalls_in_a_short_time_are_too_much_and_in_a_long_time_are_not() {
        let (start, late) = (Instant::now(), Duration::from_millis(400));
        let (mut dense, mut sparse) = (Stalls::default(), Stalls::default());
        let times = |stalls: &mut Stalls, every: u64| -> Vec<_> {
            let at = |n| start + Duration::from_secs(every * n);
            (1..=3).map(|n| stalls.note(late, at(n)).1.map(|too_late| too_late.times)).collect()
        };

        assert_eq!(times(&mut dense, 1), [None, None, Some(3)]);
        assert_eq!(times(&mut sparse, 6), [None, None, None]);
    }

    #[test]
    fn what_is_late_by_a_little_is_not_noted() {
        let mut stalls = Stalls::default();

        assert_eq!(stalls.note(Duration::from_millis(199), Instant::now()), (Duration::ZERO, None));
    }
}

//! When frames are due: a grid that all calls of this process share, so that one wake of a thread serves many.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Four beats to a frame: a thread wakes two hundred times a second at most for what it sends, however many calls there
/// are, and sends a quarter of their frames each time, not all of them at once.
const BEAT: Duration = Duration::from_millis(5);

/// The last beat at or before `now`.
pub(super) fn last(now: Instant) -> Instant {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    let since = now.saturating_duration_since(*FIRST);
    now - Duration::from_nanos((since.as_nanos() % BEAT.as_nanos()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_a_grid_that_lags_behind_by_less_than_one() {
        let some = last(Instant::now());

        assert_eq!(last(some), some);
        assert_eq!(last(some + BEAT), some + BEAT);
        assert_eq!(last(some + BEAT + BEAT / 2), some + BEAT);
    }
}

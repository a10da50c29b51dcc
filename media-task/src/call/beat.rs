//! When frames are due: a grid that all calls of this process share, so that one wake of a thread serves many.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Four beats to a frame: a thread wakes two hundred times a second at most for what it sends, however many calls there
/// are, and sends a quarter of their frames each time, not all of them at once.
const BEAT: Duration = Duration::from_millis(5);

/// The last beat at or before `now`.
pub(super) fn last(now: Instant) -> Instant {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    last_since(*FIRST, now)
}

fn last_since(first: Instant, now: Instant) -> Instant {
    let since = now.saturating_duration_since(first);
    now - Duration::from_nanos((since.as_nanos() % BEAT.as_nanos()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_a_grid_that_lags_behind_by_less_than_one() {
        let first = Instant::now();

        for (after_us, beat_us) in [(0, 0), (1, 0), (4_999, 0), (5_000, 5_000), (12_345, 10_000)] {
            let now = first + Duration::from_micros(after_us);
            assert_eq!(last_since(first, now), first + Duration::from_micros(beat_us));
        }
    }
}

//! Limits how many presses one call may cost: each may become a line of the journal, an item of the table and a message
//! to the model.

use std::time::{Duration, Instant};

/// How many presses may come at once: the longest number that an agent file can ask for.
const BURST: u32 = 64;

/// After that, one press for each of these. A hurried finger needs about 150 ms a key, and rests.
const REFILL: Duration = Duration::from_millis(250);

/// How many presses count in one call, however slowly they come.
const MAX_PER_CALL: u32 = 1_000;

/// What is left of a call's presses.
#[derive(Debug)]
pub(super) struct DtmfLimit {
    remaining: u32,
    /// When all of [`BURST`] will be there again.
    full_at: Option<Instant>,
}

impl DtmfLimit {
    pub(super) fn new() -> Self {
        Self { remaining: MAX_PER_CALL, full_at: None }
    }

    /// Takes one press. Whether there was one to take.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + REFILL;
        let may = self.remaining > 0 && full_at <= now + REFILL * BURST;
        if may {
            self.remaining -= 1;
            self.full_at = Some(full_at);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_four_presses_a_second() {
        let (start, mut limit) = (Instant::now(), DtmfLimit::new());
        let taken = |limit: &mut DtmfLimit, at: Instant| (0..500).filter(|_| limit.take(at)).count();

        assert_eq!(taken(&mut limit, start), 64);
        assert_eq!(taken(&mut limit, start + Duration::from_secs(1)), 4);
        assert_eq!(taken(&mut limit, start + Duration::from_secs(60)), 64);
    }

    #[test]
    fn one_call_has_a_thousand_presses_however_slow() {
        let (start, mut limit) = (Instant::now(), DtmfLimit::new());

        let taken = (0..2_000_u32).filter(|n| limit.take(start + Duration::from_secs(1) * *n)).count();

        assert_eq!(taken, 1_000);
    }
}

//! Limits the number of DTMF digits in a call: each may cost a journal line, a DynamoDB item and a message to the
//! model.

use std::time::{Duration, Instant};

/// The number of presses that may come at once: the longest entry that an agent file allows.
const BURST: u32 = 64;

/// The time in which one more press is allowed. A fast finger needs about 150 ms a key, and rests.
const REFILL: Duration = Duration::from_millis(250);

/// The number of presses that count in one call, however slowly they come.
const MAX_PER_CALL: u32 = 1_000;

/// A token bucket of key presses, with a total.
#[derive(Debug)]
pub(super) struct DtmfLimit {
    remaining: u32,
    /// When the bucket will hold [`BURST`] presses again.
    full_at: Option<Instant>,
}

impl DtmfLimit {
    pub(super) fn new() -> Self {
        Self { remaining: MAX_PER_CALL, full_at: None }
    }

    /// Takes one press, and returns whether one was left.
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

//! Measures how late packets are against one every 20 ms.

use crate::report::Percentiles;
use std::time::{Duration, Instant};

/// Arrivals against a schedule. The earliest packet defines the schedule, so nothing is early.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    start: Option<Instant>,
    offsets_us: Vec<i64>,
}

impl Lateness {
    /// A packet that was due `due` after the first one was there `at`.
    pub(crate) fn note(&mut self, due: Duration, at: Instant) {
        let start = *self.start.get_or_insert(at);
        let offset = at.saturating_duration_since(start).as_micros() as i64 - due.as_micros() as i64;
        self.offsets_us.push(offset);
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        let mut sorted = self.offsets_us.clone();
        sorted.sort_unstable();
        let Some(earliest) = sorted.first().copied() else { return Percentiles::default() };
        let at = |share: usize| {
            let late = sorted[(sorted.len() - 1) * share / 100] - earliest;
            Duration::from_micros(late.unsigned_abs())
        };
        Percentiles { p50: at(50), p99: at(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_first_packet_does_not_make_the_others_early() {
        let t0 = Instant::now();
        let mut lateness = Lateness::default();

        lateness.note(Duration::ZERO, t0 + ms(5));
        for n in 1..100 {
            lateness.note(ms(20 * n), t0 + ms(20 * n));
        }

        assert_eq!(lateness.percentiles(), Percentiles { p50: ms(0), p99: ms(0) });
    }

    #[test]
    fn packets_in_pairs_are_late_by_turns() {
        let t0 = Instant::now();
        let mut lateness = Lateness::default();

        for n in 0..100 {
            lateness.note(ms(20 * n), t0 + ms(20 * (n | 1)));
        }

        assert_eq!(lateness.percentiles(), Percentiles { p50: ms(0), p99: ms(20) });
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}

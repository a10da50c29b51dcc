//! How much sound time asks for: the model's clock is what is passed on to it.

use super::{BURST, FRAME, LAG};
use crate::{PER_MS, duration};
use std::time::{Duration, Instant};

/// How far the passed-on sound may be ahead: what came in a burst is not taken for what is yet to come.
const LEAD: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct PlayoutClock {
    started_at: Instant,
    /// What was passed on reaches until then.
    until: Instant,
    /// How much of it was the caller's own.
    admitted: Duration,
}

impl PlayoutClock {
    pub(super) fn start(now: Instant) -> Self {
        Self { started_at: now, until: now, admitted: Duration::ZERO }
    }

    /// When silence is due.
    pub(super) fn fills_at(&self) -> Instant {
        self.until + LAG + FRAME
    }

    /// How far what was passed on is behind, in samples.
    pub(super) fn behind(&self, now: Instant) -> usize {
        now.saturating_duration_since(self.until).as_micros() as usize * PER_MS / 1_000
    }

    /// Whether so much of the caller's sound is no flood.
    pub(super) fn admit(&mut self, samples: usize, now: Instant) -> bool {
        let admitted = self.admitted + duration(samples);
        let is_possible = admitted <= now.saturating_duration_since(self.started_at) + BURST;
        if is_possible {
            self.admitted = admitted;
        }
        is_possible
    }

    pub(super) fn pass(&mut self, samples: usize, now: Instant) {
        self.until = (self.until + duration(samples)).min(now + LEAD);
    }
}

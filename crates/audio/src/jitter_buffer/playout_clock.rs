//! How much sound time asks for: the model's clock is what is passed on to it.

use super::{BURST, FRAME, MAX_LAG};
use crate::{PER_MS, duration};
use std::time::{Duration, Instant};

/// How far the passed-on sound may be ahead: what came in a burst is not taken for what is yet to come.
const MAX_LEAD: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct PlayoutClock {
    started_at: Instant,
    /// What was passed on reaches until then.
    emitted_until: Instant,
    /// How much of it was the caller's own.
    admitted: Duration,
}

impl PlayoutClock {
    pub(super) fn start(now: Instant) -> Self {
        Self { started_at: now, emitted_until: now, admitted: Duration::ZERO }
    }

    /// When silence is due.
    pub(super) fn silence_due_at(&self) -> Instant {
        self.emitted_until + MAX_LAG + FRAME
    }

    /// How far what was passed on is behind, in samples.
    pub(super) fn behind(&self, now: Instant) -> usize {
        now.saturating_duration_since(self.emitted_until).as_micros() as usize * PER_MS / 1_000
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

    pub(super) fn advance(&mut self, samples: usize, now: Instant) {
        self.emitted_until = (self.emitted_until + duration(samples)).min(now + MAX_LEAD);
    }
}

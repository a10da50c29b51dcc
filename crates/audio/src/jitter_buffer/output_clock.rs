//! The output clock: how much of the caller's audio is due by now, since the model measures time by the audio it gets.

use super::{BURST, FRAME, MAX_LAG};
use crate::{PER_MS, duration};
use std::time::{Duration, Instant};

/// How far ahead the emitted audio may count: a burst of old audio does not stand in for audio still to come.
const MAX_LEAD: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct OutputClock {
    started_at: Instant,
    /// The time up to which audio was emitted.
    emitted_until: Instant,
    /// How much of it came from the caller.
    admitted: Duration,
}

impl OutputClock {
    pub(super) fn start(now: Instant) -> Self {
        Self { started_at: now, emitted_until: now, admitted: Duration::ZERO }
    }

    pub(super) fn silence_due_at(&self) -> Instant {
        self.emitted_until + MAX_LAG + FRAME
    }

    /// Returns by how many samples the emitted audio lags behind the clock.
    pub(super) fn behind(&self, now: Instant) -> usize {
        now.saturating_duration_since(self.emitted_until).as_micros() as usize * PER_MS / 1_000
    }

    /// Admits audio of the caller, and returns whether it is within the burst limit.
    pub(super) fn admit(&mut self, samples: usize, now: Instant) -> bool {
        let admitted = self.admitted + duration(samples);
        let is_within_limit = admitted <= now.saturating_duration_since(self.started_at) + BURST;
        if is_within_limit {
            self.admitted = admitted;
        }
        is_within_limit
    }

    pub(super) fn advance(&mut self, samples: usize, now: Instant) {
        self.emitted_until = (self.emitted_until + duration(samples)).min(now + MAX_LEAD);
    }
}

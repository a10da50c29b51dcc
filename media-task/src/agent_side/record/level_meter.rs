//! Measures the audio levels of both sides of a call, for its timeline: who spoke when, without what they said.

use agents::Keeping;
use service::time::now_ms;
use std::time::Instant;
use store::{AudioLevels, Side};

/// The audio levels of an open call.
pub(super) struct LevelMeter {
    opened_at: Instant,
    levels: AudioLevels,
}

impl LevelMeter {
    /// Starts measuring when the call opens; `None` if the agent file keeps no transcripts.
    pub(super) fn begin(keeping: Keeping, now: Instant) -> Option<Self> {
        let levels = AudioLevels { from_ms: now_ms(), ..AudioLevels::default() };
        keeping.transcripts.then_some(Self { opened_at: now, levels })
    }

    /// Adds samples of one side.
    pub(super) fn note(&mut self, side: Side, sound: &[i16], now: Instant) {
        let after_open = now - self.opened_at;
        self.levels.note(side, after_open.as_millis() as u64, sound);
    }

    /// Returns the measured levels.
    pub(super) fn into_levels(self) -> AudioLevels {
        self.levels
    }
}

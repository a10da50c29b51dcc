//! Notes how loud each side of a call is, for the picture of it: who spoke when, and nothing of what they said.

use agents::Keeping;
use service::time::now_ms;
use std::time::Instant;
use store::{AudioLevels, Side};

/// The levels of a call whose line is open.
pub(super) struct LevelMeter {
    opened_at: Instant,
    levels: AudioLevels,
}

impl LevelMeter {
    /// Begins when the line opens, if the agent keeps what was said; else nothing is noted.
    pub(super) fn begin(keeping: Keeping, now: Instant) -> Option<Self> {
        let levels = AudioLevels { from_ms: now_ms(), ..AudioLevels::default() };
        keeping.transcripts.then_some(Self { opened_at: now, levels })
    }

    /// Some sound of a side passes through.
    pub(super) fn note(&mut self, side: Side, sound: &[i16], now: Instant) {
        self.levels.note(side, super::ms(now - self.opened_at), sound);
    }

    /// What was noted.
    pub(super) fn levels(self) -> AudioLevels {
        self.levels
    }
}

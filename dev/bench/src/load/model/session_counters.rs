//! The counters of a session.

use std::time::Instant;

/// What was heard and said in one session since it was last asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionCounters {
    pub(crate) appends: u64,
    /// Bytes of them, as text.
    pub(crate) bytes: u64,
    /// When appends came in which speech begins.
    pub(crate) onsets: Vec<Instant>,
    /// When the first piece of each reply left.
    pub(crate) replies: Vec<Instant>,
    /// Messages that say that the client is not content: cancels, truncations, and whatever was not understood.
    pub(crate) surprises: u64,
    pub(crate) is_over: bool,
}

impl SessionCounters {
    /// What was counted; counting begins anew.
    pub(crate) fn take(&mut self) -> Self {
        let is_over = self.is_over;
        Self { is_over, ..std::mem::replace(self, Self { is_over, ..Self::default() }) }
    }
}

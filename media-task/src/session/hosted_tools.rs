//! Tools of remote servers, which the model's provider calls itself: the call waits for them as for its own.

use super::{CallSession, ms};
use journal::JournalEvent;
use realtime::HostedOutcome;
use std::time::{Duration, Instant};

impl CallSession {
    /// The agent waits for such a tool: the caller is not silent meanwhile, but patient.
    pub(super) fn wait_for_hosted(&mut self, now: Instant) {
        self.summary.tools += 1;
        self.using.budget.take_hosted();
        self.use_hosted(now);
    }

    /// Such a tool has answered, or will not.
    pub(super) fn note_hosted(&mut self, tool: String, took: Duration, outcome: HostedOutcome, now: Instant) {
        self.use_one_less(now);
        self.summary.tools_done += u64::from(outcome == HostedOutcome::Done);
        self.note(JournalEvent::Tool { tool, took_ms: ms(took), outcome: outcome.as_str().to_owned() });
    }
}

//! Tracks calls of remote MCP tools, which the model's provider makes itself; the call waits for them as for its own tools.

use super::{CallSession, ms};
use journal::JournalEvent;
use realtime::HostedOutcome;
use std::time::{Duration, Instant};

impl CallSession {
    /// Notes that the provider calls an MCP tool: the caller's silence meanwhile does not count towards the nudge.
    pub(super) fn handle_hosted_called(&mut self, now: Instant) {
        self.record.summary.tools += 1;
        self.tools.count_hosted();
        self.note_tool_started(now);
    }

    /// Notes that an MCP tool has answered, or that it will not.
    pub(super) fn handle_hosted_ended(
        &mut self,
        tool: String,
        took: Duration,
        outcome: HostedOutcome,
        now: Instant,
    ) {
        self.note_tool_ended(now);
        self.record.summary.tools_done += u64::from(outcome == HostedOutcome::Done);
        self.record.note(JournalEvent::Tool {
            tool,
            took_ms: ms(took),
            outcome: outcome.as_str().to_owned(),
        });
    }
}

//! Handles the bridge's outputs: frames to encode and send, barge-in, DTMF digits, nudges and timeouts.

use super::{CallSession, ms};
use audio::{Frame, Output};
use journal::JournalEvent;
use realtime::ItemId;
use std::time::Instant;
use store::Side;

impl CallSession {
    /// Handles every output that the bridge has queued.
    pub(super) fn handle_outputs(&mut self, now: Instant) {
        while let Some(output) = self.bridge.poll_output() {
            self.handle_output(output, now);
        }
        self.agent.model.set_playing(self.bridge.is_playing(), now);
    }

    fn handle_output(&mut self, output: Output, now: Instant) {
        let agent = &mut self.agent;
        match output {
            // Fifty a second, and none of them changes the transcript.
            Output::Play(frame) => return self.play(frame.as_ref(), now),
            Output::Interrupted(heard) => {
                agent.model.note_interrupted(&heard, now);
                agent.record.transcript.note_interrupted(&heard);
                agent.record.summary.interruptions = self.bridge.meter().interruptions;
                let (heard_ms, of_ms) = (ms(heard.heard), Some(ms(heard.of)));
                agent.record.note(JournalEvent::Interrupted { item: heard.item.0, heard_ms, of_ms });
            }
            Output::CutShort(heard) => {
                agent.model.note_interrupted(&heard, now);
                agent.record.transcript.note_interrupted(&heard);
            }
            Output::Played(item) => {
                let item = ItemId::from(item.0);
                agent.model.note_played(&item, now);
                agent.record.transcript.note_played(&item);
            }
            Output::AgentIsDeaf => agent.model.replace_deaf(now),
            other => agent.handle_output(other, now),
        }
        self.agent.record.keep_lines();
    }

    fn play(&mut self, frame: Option<&Frame>, now: Instant) {
        if let Some(frame) = frame {
            self.agent.record.note_level(Side::Agent, frame, now);
        }
        self.media.play(frame, self.bridge.meter().late.last(), now);
    }
}

//! Handles the model's events: translates those of speech for the bridge, and follows losses of its session.

use super::{CallSession, ms, outage_message};
use crate::agent_side::Lacking;
use audio::AgentEvent;
use call::Ending;
use journal::JournalEvent;
use realtime::{EmptyResponseAction, Failure, Purpose, SessionEvent};
use std::time::Instant;

impl CallSession {
    /// Handles every event that the model's session has queued.
    pub(super) fn poll_model(&mut self, now: Instant) {
        while let Some(event) = self.agent.model.poll_event() {
            if let Some(event) = self.agent.handle_event(event, &mut self.bridge, now) {
                self.handle_sound_event(event, now);
            }
            self.agent.record.keep_lines();
        }
    }

    /// Handles an event of the conversation that is about its sound: what it means to the bridge, and to the call.
    fn handle_sound_event(&mut self, event: SessionEvent, now: Instant) {
        match event {
            SessionEvent::Ready { expires_at: _ } => {
                self.acceptance.progress.note_ready();
                let took_ms = ms(self.acceptance.since_offer(now));
                self.agent.record.note(JournalEvent::AgentReady { took_ms });
            }
            SessionEvent::ResponseStarted { response, is_asked } => {
                self.agent.note_response_started(&response, is_asked);
                self.bridge.handle_agent(AgentEvent::ResponseStarted { response: response.into() }, now);
            }
            SessionEvent::Audio { response, item, samples } => {
                self.agent.note_speech(&response, &item);
                let (response, item) = (response.into(), audio::ItemId(item.into()));
                let event = AgentEvent::Audio { response, item, samples: samples.0 };
                self.bridge.handle_agent(event, now);
            }
            SessionEvent::ItemDone { item } => {
                let item = audio::ItemId(item.into());
                self.bridge.handle_agent(AgentEvent::ItemDone { item }, now);
            }
            SessionEvent::ResponseEmpty { response } => {
                self.bridge.handle_agent(AgentEvent::ResponseEmpty { response: response.into() }, now);
            }
            SessionEvent::ResponseDone { response } => {
                let done = AgentEvent::ResponseDone { response: response.to_string() };
                self.bridge.handle_agent(done, now);
                self.agent.note_response_done(&response, &mut self.bridge, now);
            }
            SessionEvent::SpeechStarted { item } => {
                self.agent.note_caller_speaks(&item);
                self.bridge.handle_agent(AgentEvent::SpeechStarted, now);
            }
            SessionEvent::SpeechStopped => self.bridge.handle_agent(AgentEvent::SpeechStopped, now),
            SessionEvent::ResponseLacking { response: _, purpose, status, reason, then } => {
                self.note_empty_greeting(purpose, then, now);
                let lacking = Lacking { purpose, status, reason, then };
                self.agent.note_lacking(lacking, &mut self.bridge, now);
            }
            SessionEvent::SessionLost { reason } => {
                self.agent.record.note(JournalEvent::SessionLost { reason });
                self.acceptance.progress.note_unready();
                self.bridge.handle_agent(AgentEvent::SessionReplaced, now);
            }
            SessionEvent::SessionRestored { took, planned } => {
                self.agent.record.summary.sessions_replaced += 1;
                self.bridge.handle_agent(AgentEvent::SessionReady, now);
                self.acceptance.progress.note_ready();
                self.agent.record.note(JournalEvent::SessionRestored { took_ms: ms(took), planned });
            }
            SessionEvent::Failed(Failure { code, cure, is_fatal: _ }) => {
                self.agent.record.note(JournalEvent::AgentFailed { code, cure });
                self.end_without_model(now);
            }
            // What is not about sound was handled before, and the rest only a sideband has.
            _ => {}
        }
    }

    /// Notes a greeting without audio, which extends the wait before the accept.
    fn note_empty_greeting(&mut self, purpose: Purpose, then: EmptyResponseAction, now: Instant) {
        let is_repeated =
            matches!(then, EmptyResponseAction::AskedAgain | EmptyResponseAction::AnotherSession);
        if purpose == Purpose::Greeting && is_repeated {
            self.acceptance.progress.note_empty_greeting(now);
        }
    }

    /// Ends the call after the model has failed for good: with the recorded outage message if the call is open, else by refusing it.
    fn end_without_model(&mut self, now: Instant) {
        if self.bridge.is_open() && self.agent.closing.has_said_goodbye() {
            // The goodbye plays to its end; no outage message is needed.
        } else if self.bridge.is_open() {
            self.agent.closing.note_goodbye_queued(Ending::AgentUnavailable);
            let message = outage_message::in_language(&self.agent.loaded.file.language);
            self.bridge.play_recording(message, now);
        } else {
            self.agent.closing.end(Ending::AgentUnavailable);
        }
    }
}

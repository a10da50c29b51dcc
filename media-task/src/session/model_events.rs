//! Handles the model's events: speech, transcripts, tool calls, session losses and failures; translates those of audio for the bridge.

use super::{CallSession, SessionEnd, ms};
use audio::{AgentEvent, ItemId};
use call::Ending;
use journal::JournalEvent;
use realtime::{EmptyResponseAction, OptionalPart, Purpose, SessionEvent};
use service::time::now_ms;
use std::time::Instant;

impl CallSession {
    /// Handles every event that the model's session has queued.
    pub(super) fn poll_model(&mut self, now: Instant) {
        while let Some(event) = self.parts.model.poll_event() {
            self.handle_model_event(event, now);
        }
    }

    /// Handles an event of the conversation: what it means to the bridge, to the transcript and to the call.
    fn handle_model_event(&mut self, event: SessionEvent, now: Instant) {
        match event {
            SessionEvent::Ready { expires_at: _ } => {
                self.answering.note_ready();
                self.note(JournalEvent::AgentReady { took_ms: ms(now - self.offered_at) });
            }
            SessionEvent::ResponseStarted { response, is_asked } => {
                if is_asked {
                    self.note_farewell_began(&response);
                }
                self.reset_response_tools();
                self.bridge.handle_agent(AgentEvent::ResponseStarted { response }, now);
            }
            SessionEvent::Audio { response, item, samples } => {
                self.transcript.agent_started(&item, now_ms());
                self.note_farewell_audio(&response);
                self.has_spoken = true;
                let (item, samples) = (ItemId(item), samples.0);
                self.bridge.handle_agent(AgentEvent::Audio { response, item, samples }, now);
            }
            SessionEvent::ItemDone { item } => {
                self.bridge.handle_agent(AgentEvent::ItemDone { item: ItemId(item) }, now);
            }
            SessionEvent::ResponseEmpty { response } => {
                self.bridge.handle_agent(AgentEvent::ResponseEmpty { response }, now);
            }
            SessionEvent::ResponseDone { response } => {
                self.bridge.handle_agent(AgentEvent::ResponseDone { response: response.clone() }, now);
                self.note_farewell_said(&response, now);
                self.end_call_if_asked(now);
            }
            SessionEvent::SpeechStarted { item } => {
                if !item.is_empty() {
                    self.transcript.caller_started(&item, now_ms());
                }
                self.has_spoken = false;
                self.bridge.handle_agent(AgentEvent::SpeechStarted, now);
            }
            SessionEvent::CallerNamed { item } => self.transcript.caller_started(&item, now_ms()),
            SessionEvent::SpeechStopped => self.bridge.handle_agent(AgentEvent::SpeechStopped, now),
            SessionEvent::CallerTranscript { item, text } => {
                self.transcript.caller_said(&item, &text, now_ms());
            }
            SessionEvent::CallerWasSilent { item } => self.transcript.caller_was_silent(&item, now_ms()),
            SessionEvent::TranscriptionFailed { item, code } => self.note_transcription_failed(&item, code),
            SessionEvent::AgentTranscript { item, text, audio } => {
                self.transcript.agent_said(&item, &text, audio, now_ms());
            }
            SessionEvent::ToolCalled { call_id, name, arguments } => {
                self.use_tool(call_id, name, &arguments, now);
            }
            SessionEvent::HostedToolCalled => self.handle_hosted_called(now),
            SessionEvent::HostedToolEnded { tool, took, outcome } => {
                self.handle_hosted_ended(tool, took, outcome, now);
            }
            SessionEvent::ToolsMissing { server } => self.note(JournalEvent::ToolsMissing { server }),
            SessionEvent::ResponseLacking { response: _, purpose, status, reason, then } => {
                self.note_empty_response(purpose, then, now);
                let (purpose, then) = (purpose.as_str().to_owned(), then.as_str().to_owned());
                self.note(JournalEvent::ResponseLacking { purpose, status, reason, then });
            }
            SessionEvent::Usage(usage) => self.usage += usage,
            SessionEvent::SessionLost { reason } => {
                self.note(JournalEvent::SessionLost { reason });
                self.answering.note_unready();
                self.bridge.handle_agent(AgentEvent::SessionReplaced, now);
            }
            SessionEvent::SessionRestored { took, planned } => {
                self.summary.sessions_replaced += 1;
                self.bridge.handle_agent(AgentEvent::SessionReady, now);
                self.answering.note_ready();
                self.note(JournalEvent::SessionRestored { took_ms: ms(took), planned });
            }
            SessionEvent::PartRefused { part, code } => self.leave_out(part, code),
            // Only the code: OpenAI's message can quote the API key.
            SessionEvent::ApiError(error) => self.note(JournalEvent::AgentTrouble { code: error.code }),
            SessionEvent::Failed(failure) => self.handle_model_failed(failure.code, failure.cure, now),
        }
        self.keep_lines();
    }

    /// Notes a turn of the caller that gets no transcript. The journal says so once a call: when transcription fails, it mostly fails
    /// for every turn.
    fn note_transcription_failed(&mut self, item: &str, code: String) {
        self.transcript.caller_transcription_failed(item);
        if !std::mem::replace(&mut self.has_noted_transcription_failure, true) {
            let loaded = &self.parts.agent;
            let model =
                loaded.file.model.transcription.as_ref().map(|it| it.model.clone()).unwrap_or_default();
            self.note(JournalEvent::TranscriptionFailed { model, code });
        }
    }

    /// Leaves an optional part that OpenAI refused out of the agent's sessions, in this call and in later ones.
    fn leave_out(&mut self, part: OptionalPart, code: String) {
        let loaded = &self.parts.agent;
        let (agent, model) = (&loaded.file.name, &self.parts.model_name);
        tracing::warn!(
            call_ref = self.parts.call_ref,
            agent,
            model,
            code,
            "OpenAI refused {part} in {agent}'s session ({code}); its sessions continue without it"
        );
        loaded.leave_out(part);
        // Another call of this agent may have added it meanwhile.
        if !self.summary.without.iter().any(|known| known == part.name()) {
            self.summary.without.push(part.name().to_owned());
        }
        self.note(JournalEvent::PartRefused { part: part.name().to_owned(), code });
    }

    /// Notes a response without audio: a greeting extends the wait before the accept, a goodbye is no longer waited for.
    fn note_empty_response(&mut self, purpose: Purpose, then: EmptyResponseAction, now: Instant) {
        match (purpose, then) {
            (Purpose::Greeting, EmptyResponseAction::AskedAgain | EmptyResponseAction::AnotherSession) => {
                self.answering.note_empty_greeting(now);
            }
            (_, EmptyResponseAction::Done) => self.note_farewell_silent(purpose, now),
            (Purpose::Greeting | Purpose::Answer | Purpose::Asked, _) => {}
        }
    }

    /// Ends the call after the model has failed for good: with the recorded outage message if the call is open, else by refusing it.
    fn handle_model_failed(&mut self, code: String, cure: String, now: Instant) {
        self.note(JournalEvent::AgentFailed { code, cure });
        if self.bridge.is_open() && self.has_said_goodbye() {
            // The goodbye plays to its end; no outage message is needed.
        } else if self.bridge.is_open() {
            self.play_outage_message(now);
        } else {
            self.end.get_or_insert(SessionEnd::Unreported(Ending::AgentUnavailable));
        }
    }
}

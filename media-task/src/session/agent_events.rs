//! Handles the model's events: speech, transcripts, tool calls, session losses and failures.

use super::{CallSession, SessionEnd, ms};
use crate::model::AgentEvent;
use audio::AgentEvent as AudioEvent;
use call::Ending;
use journal::JournalEvent;
use realtime::{EmptyResponseAction, OptionalPart, Purpose};
use service::time::now_ms;
use std::time::Instant;

impl CallSession {
    /// Handles every event that the model's session has queued.
    pub(super) fn poll_model(&mut self, now: Instant) {
        while let Some(event) = self.parts.model.poll_event() {
            self.handle_agent_event(event, now);
        }
    }

    fn handle_agent_event(&mut self, event: AgentEvent, now: Instant) {
        match event {
            AgentEvent::Ready => {
                self.answering.note_ready();
                self.note(JournalEvent::AgentReady { took_ms: ms(now - self.offered_at) });
            }
            AgentEvent::Audio(event) => self.handle_audio_event(event, now),
            AgentEvent::RequestedResponseBegan(response) => self.note_farewell_began(response),
            AgentEvent::CallerStarted(item) => self.transcript.caller_started(&item.0, now_ms()),
            AgentEvent::CallerSaid(item, text) => self.transcript.caller_said(&item.0, &text, now_ms()),
            AgentEvent::CallerWasSilent(item) => self.transcript.caller_was_silent(&item.0, now_ms()),
            AgentEvent::TranscriptionFailed(item, code) => self.note_transcription_failed(&item.0, code),
            AgentEvent::AgentSaid(item, text, audio) => {
                self.transcript.agent_said(&item.0, &text, audio, now_ms());
            }
            AgentEvent::ToolCalled { call_id, tool, arguments } => {
                self.use_tool(call_id, tool, &arguments, now)
            }
            AgentEvent::HostedToolCalled => self.handle_hosted_called(now),
            AgentEvent::HostedToolEnded(tool, took, outcome) => {
                self.handle_hosted_ended(tool, took, outcome, now)
            }
            AgentEvent::ToolsMissing(server) => self.note(JournalEvent::ToolsMissing { server }),
            AgentEvent::EmptyResponse { purpose, status, reason, then } => {
                self.note_empty_response(purpose, then, now);
                let (purpose, then) = (purpose.as_str().to_owned(), then.as_str().to_owned());
                self.note(JournalEvent::ResponseLacking { purpose, status, reason, then });
            }
            AgentEvent::Usage(usage) => self.usage += usage,
            AgentEvent::SessionLost(reason) => {
                self.note(JournalEvent::SessionLost { reason });
                self.answering.note_unready();
                self.bridge.handle_agent(AudioEvent::SessionReplaced, now);
            }
            AgentEvent::SessionRestored(took, planned) => {
                self.summary.sessions_replaced += 1;
                self.bridge.handle_agent(AudioEvent::SessionReady, now);
                self.answering.note_ready();
                self.note(JournalEvent::SessionRestored { took_ms: ms(took), planned });
            }
            AgentEvent::PartRefused(part, code) => self.leave_out(part, code),
            AgentEvent::ApiError(code) => self.note(JournalEvent::AgentTrouble { code }),
            AgentEvent::Failed { code, cure } => self.handle_model_failed(code, cure, now),
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

    fn handle_audio_event(&mut self, event: AudioEvent, now: Instant) {
        match &event {
            AudioEvent::Audio { response, item, .. } => {
                self.transcript.agent_started(&item.0, now_ms());
                self.note_farewell_audio(response);
                self.has_spoken = true;
            }
            AudioEvent::ResponseStarted { .. } => self.reset_response_tools(),
            AudioEvent::SpeechStarted => self.has_spoken = false,
            AudioEvent::ResponseDone { .. }
            | AudioEvent::ItemDone { .. }
            | AudioEvent::SpeechStopped
            | AudioEvent::ResponseEmpty { .. }
            | AudioEvent::SessionReplaced
            | AudioEvent::SessionReady => {}
        }
        let ended =
            if let AudioEvent::ResponseDone { response } = &event { Some(response.clone()) } else { None };
        self.bridge.handle_agent(event, now);
        if let Some(response) = ended {
            self.note_farewell_said(&response, now);
            self.end_call_if_asked(now);
        }
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

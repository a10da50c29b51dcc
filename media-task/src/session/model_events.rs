//! Handles the model's events: speech, transcripts, tool calls, session losses and failures; translates those of audio for the bridge.

use super::{CallSession, ms};
use audio::{AgentEvent, ItemId};
use journal::JournalEvent;
use realtime::{EmptyResponseAction, Failure, OptionalPart, Purpose, SessionEvent};
use service::time::now_ms;
use std::time::Instant;

impl CallSession {
    /// Handles every event that the model's session has queued.
    pub(super) fn poll_model(&mut self, now: Instant) {
        while let Some(event) = self.model.poll_event() {
            self.handle_model_event(event, now);
        }
    }

    /// Handles an event of the conversation: what it means to the bridge, to the transcript and to the call.
    fn handle_model_event(&mut self, event: SessionEvent, now: Instant) {
        match event {
            SessionEvent::Ready { expires_at: _ } => {
                self.acceptance.progress.note_ready();
                self.record.note(JournalEvent::AgentReady { took_ms: ms(self.acceptance.since_offer(now)) });
            }
            SessionEvent::ResponseStarted { response, is_asked } => {
                if is_asked {
                    self.closing.note_requested_response(&response);
                }
                self.tools.reset_response();
                self.bridge.handle_agent(AgentEvent::ResponseStarted { response }, now);
            }
            SessionEvent::Audio { response, item, samples } => {
                self.record.transcript.agent_started(&item, now_ms());
                self.closing.note_audio(&response);
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
                self.note_response_done(&response, now);
                self.end_call_if_asked(now);
            }
            SessionEvent::SpeechStarted { item } => {
                if !item.is_empty() {
                    self.record.transcript.caller_started(&item, now_ms());
                }
                self.closing.note_caller_speaks();
                self.bridge.handle_agent(AgentEvent::SpeechStarted, now);
            }
            SessionEvent::CallerNamed { item } => self.record.transcript.caller_started(&item, now_ms()),
            SessionEvent::SpeechStopped => self.bridge.handle_agent(AgentEvent::SpeechStopped, now),
            SessionEvent::CallerTranscript { item, text } => {
                self.record.transcript.caller_said(&item, &text, now_ms());
            }
            SessionEvent::CallerWasSilent { item } => {
                self.record.transcript.caller_was_silent(&item, now_ms())
            }
            SessionEvent::TranscriptionFailed { item, code } => self.note_transcription_failed(&item, code),
            SessionEvent::AgentTranscript { item, text, audio } => {
                self.record.transcript.agent_said(&item, &text, audio, now_ms());
            }
            SessionEvent::ToolCalled { call_id, name, arguments } => {
                self.use_tool(call_id, name, &arguments, now);
            }
            SessionEvent::HostedToolCalled => self.handle_hosted_called(now),
            SessionEvent::HostedToolEnded { tool, took, outcome } => {
                self.handle_hosted_ended(tool, took, outcome, now);
            }
            SessionEvent::ToolsMissing { server } => self.record.note(JournalEvent::ToolsMissing { server }),
            SessionEvent::ResponseLacking { response: _, purpose, status, reason, then } => {
                self.note_empty_response(purpose, then, now);
                let (purpose, then) = (purpose.as_str().to_owned(), then.as_str().to_owned());
                self.record.note(JournalEvent::ResponseLacking { purpose, status, reason, then });
            }
            SessionEvent::Usage(usage) => self.accounts.add(usage),
            SessionEvent::SessionLost { reason } => {
                self.record.note(JournalEvent::SessionLost { reason });
                self.acceptance.progress.note_unready();
                self.bridge.handle_agent(AgentEvent::SessionReplaced, now);
            }
            SessionEvent::SessionRestored { took, planned } => {
                self.record.summary.sessions_replaced += 1;
                self.bridge.handle_agent(AgentEvent::SessionReady, now);
                self.acceptance.progress.note_ready();
                self.record.note(JournalEvent::SessionRestored { took_ms: ms(took), planned });
            }
            // Only a sideband has these.
            SessionEvent::Speaking { .. }
            | SessionEvent::PlaybackStarted { .. }
            | SessionEvent::PlaybackEnded { .. }
            | SessionEvent::KeyPressed { .. }
            | SessionEvent::EndsSoon
            | SessionEvent::CallGone { .. } => {}
            SessionEvent::PartRefused { part, code } => self.leave_out(part, code),
            // Only the code: OpenAI's message can quote the API key.
            SessionEvent::ApiError(error) => {
                self.record.note(JournalEvent::AgentTrouble { code: error.code })
            }
            SessionEvent::Failed(Failure { code, cure, is_fatal: _ }) => {
                self.record.note(JournalEvent::AgentFailed { code, cure });
                self.end_without_model(now);
            }
        }
        self.record.keep_lines();
    }

    fn note_transcription_failed(&mut self, item: &str, code: String) {
        let transcription = self.agent.file.model.transcription.as_ref();
        let model = transcription.map(|transcription| transcription.model.as_str());
        self.record.note_transcription_failed(item, model, code);
    }

    /// Leaves an optional part that OpenAI refused out of the agent's sessions, in this call and in later ones.
    fn leave_out(&mut self, part: OptionalPart, code: String) {
        let (agent, model) = (&self.agent.file.name, &self.record.summary.model);
        tracing::warn!(
            call_ref = %self.call.call_ref,
            agent,
            model,
            code,
            "OpenAI refused {part} in {agent}'s session ({code}); its sessions continue without it"
        );
        self.agent.leave_out(part);
        self.record.note_part_refused(part, code);
    }

    /// Notes a response without audio: a greeting extends the wait before the accept, a goodbye is no longer waited for.
    fn note_empty_response(&mut self, purpose: Purpose, then: EmptyResponseAction, now: Instant) {
        match (purpose, then) {
            (Purpose::Greeting, EmptyResponseAction::AskedAgain | EmptyResponseAction::AnotherSession) => {
                self.acceptance.progress.note_empty_greeting(now);
            }
            (_, EmptyResponseAction::Done) => self.note_silent_response(purpose, now),
            (Purpose::Greeting | Purpose::Answer | Purpose::Asked, _) => {}
        }
    }
}

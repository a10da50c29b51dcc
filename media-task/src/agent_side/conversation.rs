//! Notes what the model and the caller do, for transcript and journal, and passes keys and prompts on to the model.

use super::instruction::instruction;
use super::{AgentSide, CallerSide, ms};
use audio::{DtmfDigits, Output};
use journal::JournalEvent;
use realtime::{EmptyResponseAction, ItemId, OptionalPart, Purpose, ResponseId, SessionEvent};
use service::time::now_ms;
use std::time::{Duration, Instant};

/// What a response lacks, as the conversation reports it.
pub(crate) struct Lacking {
    pub(crate) purpose: Purpose,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) then: EmptyResponseAction,
}

impl AgentSide {
    /// Notes that a response began.
    pub(crate) fn note_response_started(&mut self, response: &ResponseId, is_asked: bool) {
        if is_asked {
            self.closing.note_requested_response(response);
        }
        self.tools.reset_response();
    }

    /// Notes that there is speech of an item.
    pub(crate) fn note_speech(&mut self, response: &ResponseId, item: &ItemId) {
        self.record.transcript.agent_started(item, now_ms());
        self.closing.note_audio(response);
    }

    /// Notes that the caller speaks; the item has no id yet if it is empty.
    pub(crate) fn note_caller_speaks(&mut self, item: &ItemId) {
        if !item.is_empty() {
            self.record.transcript.caller_started(item, now_ms());
        }
        self.closing.note_caller_speaks();
    }

    /// Handles an event of the conversation that is not about its sound, and returns one that is.
    pub(crate) fn handle_event(
        &mut self,
        event: SessionEvent,
        caller: &mut impl CallerSide,
        now: Instant,
    ) -> Option<SessionEvent> {
        match event {
            SessionEvent::ToolCalled { call_id, name, arguments } => {
                self.use_tool(call_id, name, &arguments, caller, now);
            }
            SessionEvent::HostedToolCalled => self.handle_hosted_called(caller, now),
            SessionEvent::HostedToolEnded { tool, took, outcome } => {
                self.handle_hosted_ended(tool, took, outcome, caller, now);
            }
            other => return self.note_event(other),
        }
        None
    }

    /// Notes what transcripts, usage and troubles of the model say, and returns any other event.
    pub(super) fn note_event(&mut self, event: SessionEvent) -> Option<SessionEvent> {
        match event {
            SessionEvent::CallerNamed { item } => self.record.transcript.caller_started(&item, now_ms()),
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
            SessionEvent::ToolsMissing { server } => self.record.note(JournalEvent::ToolsMissing { server }),
            SessionEvent::Usage(usage) => self.accounts.add(usage),
            SessionEvent::PartRefused { part, code } => self.leave_out(part, code),
            // Only the code: OpenAI's message can quote the API key.
            SessionEvent::ApiError(error) => {
                self.record.note(JournalEvent::AgentTrouble { code: error.code })
            }
            other => return Some(other),
        }
        None
    }

    /// Notes a response without speech, or one that was cut off: an empty goodbye is no longer waited for.
    pub(crate) fn note_lacking(&mut self, lacking: Lacking, caller: &mut impl CallerSide, now: Instant) {
        let Lacking { purpose, status, reason, then } = lacking;
        if then == EmptyResponseAction::Done {
            self.note_silent_response(purpose, caller, now);
        }
        let (purpose, then) = (purpose.as_str().to_owned(), then.as_str().to_owned());
        self.record.note(JournalEvent::ResponseLacking { purpose, status, reason, then });
    }

    /// Handles an output of the caller's side that is not about sound.
    pub(crate) fn handle_output(&mut self, output: Output, now: Instant) {
        match output {
            Output::CancelResponse => self.model.interrupt(now),
            Output::TurnEnded { answer } => self.model.yield_turn(answer, now),
            Output::FirstAudio(after_open) => self.note_first_word(after_open),
            Output::Answered { took, waited_for_tools } => self.note_answered(took, waited_for_tools),
            Output::Dtmf(digits_pressed) => self.handle_dtmf(&digits_pressed, now),
            Output::DtmfDropped => self.record.note(JournalEvent::KeysDropped {}),
            Output::IdlePrompt { times } => self.prompt_idle_caller(times, now),
            Output::SayGoodbye(reason) => self.say_goodbye(reason, now),
            Output::HangUp => self.closing.hang_up(),
            Output::HangUpCancelled => self.withdraw_farewell(now),
            Output::HangUpPostponed => self.model.withdraw_request(now),
            Output::ForceHangUp(reason) => self.give_up(reason),
            Output::Play(_)
            | Output::Interrupted(_)
            | Output::CutShort(_)
            | Output::Played(_)
            | Output::AgentIsDeaf => {}
        }
    }

    /// Notes that the caller heard the agent's first word.
    fn note_first_word(&mut self, after_open: Duration) {
        self.record.note(JournalEvent::FirstWord { after_open_ms: ms(after_open) });
    }

    /// Notes that the agent's answer to the caller began.
    fn note_answered(&mut self, took: Duration, waited_for_tools: Duration) {
        self.record.transcript.note_turn(took, waited_for_tools);
        let (turn, ..) = self.record.transcript.turns();
        self.record.note(JournalEvent::Turn { turn, took_ms: ms(took), tool_ms: ms(waited_for_tools) });
    }

    /// Tells the model which keys the caller pressed.
    fn handle_dtmf(&mut self, digits_pressed: &DtmfDigits, now: Instant) {
        let digits = digits_pressed.keys();
        self.record.note(JournalEvent::Keys { count: digits.chars().count() as u64 });
        let kept = if self.loaded.file.keypad.sensitive { "keys".to_owned() } else { digits.to_owned() };
        self.record.transcript.caller_note(&format!("[pressed {kept}]"), now_ms());
        self.model.send_text(&format!("[The caller pressed on the keypad: {digits}]"), now);
    }

    /// Has the agent ask whether the caller is still there.
    fn prompt_idle_caller(&mut self, times: u32, now: Instant) {
        self.record.note(JournalEvent::Nudged { times: u64::from(times) });
        let words = instruction(&self.loaded.file.limits.nudge);
        self.model.request_response(&words, false, now);
    }

    fn note_transcription_failed(&mut self, item: &ItemId, code: String) {
        let transcription = self.loaded.file.model.transcription.as_ref();
        let model = transcription.map(|transcription| transcription.model.as_str());
        self.record.note_transcription_failed(item, model, code);
    }

    /// Leaves an optional part that OpenAI refused out of the agent's sessions, in this call and in later ones.
    fn leave_out(&mut self, part: OptionalPart, code: String) {
        let (agent, model) = (&self.loaded.file.name, &self.record.summary.model);
        tracing::warn!(
            call_ref = %self.call.call_ref,
            agent,
            model,
            code,
            "OpenAI refused {part} in {agent}'s session ({code}); its sessions continue without it"
        );
        self.loaded.leave_out(part);
        self.record.note_part_refused(part, code);
    }
}

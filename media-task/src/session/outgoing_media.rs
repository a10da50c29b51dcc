//! Handles the bridge's outputs: frames to encode and send, barge-in, DTMF digits, nudges and timeouts.

use super::{CallSession, ms};
use audio::{Frame, Output};
use journal::JournalEvent;
use service::time::now_ms;
use std::time::Instant;
use store::Side;

impl CallSession {
    /// Handles every output that the bridge has queued.
    pub(super) fn handle_outputs(&mut self, now: Instant) {
        while let Some(output) = self.bridge.poll_output() {
            self.handle_output(output, now);
        }
        self.parts.model.set_playing(self.bridge.is_playing(), now);
    }

    fn handle_output(&mut self, output: Output, now: Instant) {
        match output {
            // Fifty a second, and none of them changes the transcript.
            Output::Play(frame) => return self.play(frame.as_ref(), now),
            Output::CancelResponse => self.parts.model.interrupt(now),
            Output::Interrupted(heard) => {
                self.parts.model.note_interrupted(&heard, now);
                self.transcript.note_interrupted(&heard);
                self.summary.interruptions = self.bridge.meter().interruptions;
                let (heard_ms, of_ms) = (ms(heard.heard), ms(heard.of));
                self.note(JournalEvent::Interrupted { item: heard.item.0, heard_ms, of_ms });
            }
            Output::CutShort(heard) => {
                self.parts.model.note_interrupted(&heard, now);
                self.transcript.note_interrupted(&heard);
            }
            Output::Played(item) => {
                self.parts.model.note_played(&item, now);
                self.transcript.note_played(&item.0);
            }
            Output::TurnEnded { answer } => self.parts.model.yield_turn(answer, now),
            Output::FirstAudio(after_open) => {
                self.note(JournalEvent::FirstWord { after_open_ms: ms(after_open) })
            }
            Output::Answered { took, waited_for_tools } => {
                self.transcript.note_turn(took, waited_for_tools);
                let (turn, ..) = self.transcript.turns();
                self.note(JournalEvent::Turn { turn, took_ms: ms(took), tool_ms: ms(waited_for_tools) });
            }
            Output::Dtmf(digits_pressed) => self.handle_dtmf(&digits_pressed, now),
            Output::DtmfDropped => self.note(JournalEvent::KeysDropped {}),
            Output::IdlePrompt { times } => {
                self.note(JournalEvent::Nudged { times: u64::from(times) });
                let words = instruction(&self.parts.agent.file.limits.nudge);
                self.parts.model.request_response(&words, false, now);
            }
            Output::SayGoodbye(reason) => self.say_goodbye(reason, now),
            Output::HangUp => self.hang_up(),
            Output::HangUpCancelled => {
                self.farewell = None;
                self.parts.model.set_leaving(false);
                self.parts.model.withdraw_request(now);
                self.report_undelivered(now);
            }
            Output::HangUpPostponed => self.parts.model.withdraw_request(now),
            Output::AgentIsDeaf => self.parts.model.replace_deaf(now),
            Output::ForceHangUp(reason) => self.give_up(reason),
        }
        self.keep_lines();
    }

    fn play(&mut self, frame: Option<&Frame>, now: Instant) {
        let begins = frame.is_some() && !self.was_speaking;
        self.was_speaking = frame.is_some();
        self.parts.lateness.note_late(self.bridge.meter().late.last(), now);
        if let (Some(levels), Some(frame)) = (&mut self.levels, frame) {
            levels.note(Side::Agent, frame, now);
        }
        let packet = self.encoder.encode(frame);
        self.parts.peer.send(packet, begins, now);
    }

    fn handle_dtmf(&mut self, digits_pressed: &audio::DtmfDigits, now: Instant) {
        let digits = digits_pressed.keys();
        self.note(JournalEvent::Keys { count: digits.chars().count() as u64 });
        let kept = if self.parts.agent.file.keypad.sensitive { "keys".to_owned() } else { digits.to_owned() };
        self.transcript.caller_note(&format!("[pressed {kept}]"), now_ms());
        self.parts.model.send_text(&format!("[The caller pressed on the keypad: {digits}]"), now);
    }

    /// Keeps every transcript line that is complete by now.
    pub(super) fn keep_lines(&mut self) {
        while let Some(line) = self.transcript.poll_line() {
            self.keep_line(&line);
        }
    }
}

/// Returns words of the agent file as an instruction to the model.
pub(super) fn instruction(words: &agents::Words) -> String {
    match words {
        agents::Words::Exact(words) => format!("Say exactly this, and nothing else: {words}"),
        agents::Words::Prompt(prompt) => prompt.clone(),
    }
}

//! Handles the bridge's outputs: frames to encode and send, barge-in, DTMF digits, nudges and timeouts.

use super::instruction::instruction;
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
        self.model.set_playing(self.bridge.is_playing(), now);
    }

    fn handle_output(&mut self, output: Output, now: Instant) {
        match output {
            // Fifty a second, and none of them changes the transcript.
            Output::Play(frame) => return self.play(frame.as_ref(), now),
            Output::CancelResponse => self.model.interrupt(now),
            Output::Interrupted(heard) => {
                self.model.note_interrupted(&heard, now);
                self.record.transcript.note_interrupted(&heard);
                self.record.summary.interruptions = self.bridge.meter().interruptions;
                let (heard_ms, of_ms) = (ms(heard.heard), ms(heard.of));
                self.record.note(JournalEvent::Interrupted { item: heard.item.0, heard_ms, of_ms });
            }
            Output::CutShort(heard) => {
                self.model.note_interrupted(&heard, now);
                self.record.transcript.note_interrupted(&heard);
            }
            Output::Played(item) => {
                self.model.note_played(&item, now);
                self.record.transcript.note_played(&item.0);
            }
            Output::TurnEnded { answer } => self.model.yield_turn(answer, now),
            Output::FirstAudio(after_open) => {
                self.record.note(JournalEvent::FirstWord { after_open_ms: ms(after_open) })
            }
            Output::Answered { took, waited_for_tools } => {
                self.record.transcript.note_turn(took, waited_for_tools);
                let (turn, ..) = self.record.transcript.turns();
                self.record.note(JournalEvent::Turn {
                    turn,
                    took_ms: ms(took),
                    tool_ms: ms(waited_for_tools),
                });
            }
            Output::Dtmf(digits_pressed) => self.handle_dtmf(&digits_pressed, now),
            Output::DtmfDropped => self.record.note(JournalEvent::KeysDropped {}),
            Output::IdlePrompt { times } => {
                self.record.note(JournalEvent::Nudged { times: u64::from(times) });
                let words = instruction(&self.agent.file.limits.nudge);
                self.model.request_response(&words, false, now);
            }
            Output::SayGoodbye(reason) => self.say_goodbye(reason, now),
            Output::HangUp => self.closing.hang_up(),
            Output::HangUpCancelled => self.withdraw_farewell(now),
            Output::HangUpPostponed => self.model.withdraw_request(now),
            Output::AgentIsDeaf => self.model.replace_deaf(now),
            Output::ForceHangUp(reason) => self.give_up(reason),
        }
        self.record.keep_lines();
    }

    fn play(&mut self, frame: Option<&Frame>, now: Instant) {
        if let Some(frame) = frame {
            self.record.note_level(Side::Agent, frame, now);
        }
        self.media.play(frame, self.bridge.meter().late.last(), now);
    }

    fn handle_dtmf(&mut self, digits_pressed: &audio::DtmfDigits, now: Instant) {
        let digits = digits_pressed.keys();
        self.record.note(JournalEvent::Keys { count: digits.chars().count() as u64 });
        let kept = if self.agent.file.keypad.sensitive { "keys".to_owned() } else { digits.to_owned() };
        self.record.transcript.caller_note(&format!("[pressed {kept}]"), now_ms());
        self.model.send_text(&format!("[The caller pressed on the keypad: {digits}]"), now);
    }
}

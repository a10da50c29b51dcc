//! What the bridge wants done: frames for the caller, and what the agent must know of them.

use super::{CallSession, ms};
use audio::{Frame, Output};
use journal::JournalEvent;
use service::time::now_ms;
use std::time::Instant;
use store::Side;

impl CallSession {
    /// The agent's sound, to the caller; and everything else the bridge noticed.
    pub(super) fn pass_down(&mut self, now: Instant) {
        while let Some(output) = self.bridge.poll_output() {
            self.carry_out(output, now);
        }
        self.parts.agent.set_playing(self.bridge.is_playing(), now);
    }

    fn carry_out(&mut self, output: Output, now: Instant) {
        match output {
            // Fifty a second, and none of them is a line.
            Output::Play(frame) => return self.play(frame.as_ref(), now),
            Output::CancelResponse => self.parts.agent.interrupt(now),
            Output::Interrupted(heard) => {
                self.parts.agent.was_heard(&heard, now);
                self.minutes.was_heard(&heard);
                self.summary.interruptions = self.bridge.meter().interruptions;
                let (heard_ms, of_ms) = (ms(heard.heard), ms(heard.of));
                self.note(JournalEvent::Interrupted { item: heard.item.0, heard_ms, of_ms });
            }
            Output::CutShort(heard) => {
                self.parts.agent.was_heard(&heard, now);
                self.minutes.was_heard(&heard);
            }
            Output::Played(item) => {
                self.parts.agent.was_played(&item, now);
                self.minutes.was_played(&item.0);
            }
            Output::TurnEnded { answer } => self.parts.agent.yield_turn(answer, now),
            Output::FirstAudio(after_open) => {
                self.note(JournalEvent::FirstWord { after_open_ms: ms(after_open) })
            }
            Output::Answered { took, waited_for_tools } => {
                self.minutes.answered(took, waited_for_tools);
                let (turn, ..) = self.minutes.turns();
                self.note(JournalEvent::Turn { turn, took_ms: ms(took), tool_ms: ms(waited_for_tools) });
            }
            Output::Dtmf(keyed) => self.pass_on_keys(&keyed, now),
            Output::DtmfDropped => self.note(JournalEvent::KeysDropped {}),
            Output::IdlePrompt { times } => {
                self.note(JournalEvent::Nudged { times: u64::from(times) });
                let words = say(&self.parts.role.agent.limits.nudge);
                self.parts.agent.ask(&words, false, now);
            }
            Output::SayGoodbye(verdict) => self.say_goodbye(verdict, now),
            Output::HangUp => self.hang_up(),
            Output::HangUpCancelled => {
                self.farewell = None;
                self.parts.agent.set_leaving(false);
                self.parts.agent.withdraw(now);
                self.tell_undelivered(now);
            }
            Output::HangUpPostponed => self.parts.agent.withdraw(now),
            Output::AgentIsDeaf => self.parts.agent.replace_deaf(now),
            Output::ForceHangUp(verdict) => self.give_up(verdict),
        }
        self.write_lines();
    }

    fn play(&mut self, frame: Option<&Frame>, now: Instant) {
        let begins = frame.is_some() && !self.was_speaking;
        self.was_speaking = frame.is_some();
        self.parts.load.note_late(self.bridge.meter().late.last(), now);
        if let (Some(measuring), Some(frame)) = (&mut self.measuring, frame) {
            measuring.note(Side::Agent, frame, now);
        }
        let packet = self.mouth.say(frame);
        self.parts.peer.send(packet, begins, now);
    }

    fn pass_on_keys(&mut self, keyed: &audio::DtmfDigits, now: Instant) {
        let digits = keyed.keys();
        self.note(JournalEvent::Keys { count: digits.chars().count() as u64 });
        let kept = if self.parts.role.agent.keypad.sensitive { "keys".to_owned() } else { digits.to_owned() };
        self.minutes.caller_noted(&format!("[pressed {kept}]"), now_ms());
        self.parts.agent.tell(&format!("[The caller pressed on the keypad: {digits}]"), now);
    }

    /// Writes down what is known by now of who said what.
    pub(super) fn write_lines(&mut self) {
        while let Some(line) = self.minutes.poll_line() {
            self.keep_line(&line);
        }
    }
}

/// As an instruction to the model.
pub(super) fn say(words: &agents::Words) -> String {
    match words {
        agents::Words::Exact(words) => format!("Say exactly this, and nothing else: {words}"),
        agents::Words::Prompt(prompt) => prompt.clone(),
    }
}

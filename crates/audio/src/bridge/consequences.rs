//! What follows from what happened: interruptions, turns, and the way out.

use super::Bridge;
use crate::unheard_speech::Found;
use crate::{Output, TimerAction};
use std::time::{Duration, Instant};

/// So much of what the agent is saying is heard out when the call may last no longer; a goodbye behind more of it
/// would not be heard any more.
const HEARD_OUT: Duration = Duration::from_secs(8);

/// How long after it was sent the agent's voice may come back from the caller's phone.
const ECHO: Duration = Duration::from_secs(1);

impl<P: Clone> Bridge<P> {
    /// Draws the consequences of what has just happened.
    pub(super) fn settle(&mut self, now: Instant) {
        self.tell_over();
        let greets = |greeting| self.responses.has(greeting) || self.playout.has(greeting);
        if self.floor.protected().is_some_and(|greeting| !greets(greeting)) {
            self.floor.end_protection();
        }
        if self.is_all_said() {
            self.floor.note_silence();
        }
        self.interrupt_if_due(now);
        let is_recorded = self.leaving.is_recorded();
        let is_answer_awaited = self.is_busy && self.leaving.is_postponed();
        let is_caller_awaited = self.floor.hears_caller() && !is_recorded;
        let are_keys_awaited = self.keys.poll_timeout().is_some() && self.leaving.is_postponed();
        let is_quiet = self.is_all_said() && !is_caller_awaited && !is_answer_awaited && !are_keys_awaited;
        self.leaving.note(is_quiet, self.sound_until, now);
    }

    /// The caller speaks over the agent: what is queued is dropped, and so is what still comes of it.
    fn interrupt_if_due(&mut self, now: Instant) {
        let Some(interruption) = self.floor.poll_interruption(now) else { return };
        if interruption.is_ours {
            self.outputs.push_back(Output::Cancel);
        }
        self.is_interruption_counted = false;
        self.drop_speech();
        self.postpone(now);
    }

    /// The caller presses a key: the agent stops, as if the caller had spoken over it. A greeting or a goodbye that cannot be
    /// called off is said to its end.
    pub(super) fn interrupt_by_key(&mut self) {
        let is_said_to_its_end = self.floor.protected().is_some()
            || self.leaving.is_agent_silenced()
            || self.patience.is_some_and(|patience| patience.ends_in_any_case());
        if !self.floor.turns().keys_interrupt || is_said_to_its_end || self.is_all_said() {
            return;
        }
        self.outputs.push_back(Output::Cancel);
        self.is_interruption_counted = false;
        self.drop_speech();
    }

    /// The caller talks: a hang-up that was under way waits for one turn more, unless the call ends in any case.
    pub(super) fn postpone(&mut self, now: Instant) {
        let ends_in_any_case = self.patience.is_some_and(|patience| patience.ends_in_any_case());
        if !ends_in_any_case && self.leaving.postpone(self.responses.active(), now) {
            self.note_leaving(now);
            self.outputs.push_back(Output::Postponed);
        }
    }

    pub(super) fn end_turn(&mut self, now: Instant) {
        self.note_caller(now);
        // Time may have passed unseen: whoever has spoken for long enough has interrupted.
        self.settle(now);
        let answer = self.floor.stop_caller(now);
        if answer {
            self.stopwatch.start(self.floor.reply(), now);
        }
        if self.floor.turns().are_ours() {
            self.outputs.push_back(Output::TurnOver { answer });
        }
    }

    /// The caller speaks, or pressed a key: nobody is silent, and whoever was about to hang up for that does not.
    pub(super) fn note_caller(&mut self, now: Instant) {
        let is_called_off = self.patience.as_mut().is_some_and(|patience| patience.note_caller(now));
        if is_called_off && !self.leaving.is_leaving() {
            self.outputs.push_back(Output::StayOn);
        }
    }

    pub(super) fn note_leaving(&mut self, now: Instant) {
        if let Some(patience) = &mut self.patience {
            patience.note_leaving(self.leaving.is_leaving(), now);
        }
    }

    pub(super) fn want(&mut self, wanted: TimerAction) {
        let is_last = matches!(wanted, TimerAction::WindUp(verdict) if verdict.is_final());
        if is_last && self.playout.waiting() > HEARD_OUT {
            self.outputs.push_back(Output::Cancel);
            self.cut_speech();
        }
        if matches!(wanted, TimerAction::WindUp(_)) {
            self.leaving.begin_anew();
        }
        self.outputs.push_back(match wanted {
            TimerAction::Nudge { times } => Output::Nudge { times },
            TimerAction::WindUp(verdict) => Output::WindUp(verdict),
            TimerAction::GiveUp(verdict) => {
                self.leaving.go();
                Output::GiveUp(verdict)
            }
        });
    }

    /// Listens to the caller beside the agent, who should say that it hears them.
    pub(super) fn notice_unheard(&mut self, samples: &[i16], now: Instant) {
        let is_heard = self.floor.hears_caller() || self.is_agent_away || self.leaving.is_leaving();
        if !self.is_open() || is_heard {
            return self.unheard.clear();
        }
        let may_be_echo = self.sound_until.is_some_and(|until| now < until + ECHO);
        let found = self.unheard.note(samples, !may_be_echo);
        match found {
            Some(Found::Speech) => self.patience.iter_mut().for_each(|patience| patience.note_unheard(now)),
            Some(Found::DeafAgent) => {
                self.note_caller(now);
                self.outputs.push_back(Output::AgentIsDeaf);
            }
            None => {}
        }
    }

    /// The agent has nothing to say to what the caller said last.
    pub(super) fn note_nothing(&mut self, response: &str) {
        if !self.floor.hears_caller() && !self.is_busy && self.leaving.note_nothing(response) {
            self.say_all();
        }
    }

    /// All is said, and heard.
    pub(super) fn say_all(&mut self) {
        self.patience = None;
        self.outputs.push_back(Output::SaidAll);
    }

    fn is_all_said(&self) -> bool {
        self.playout.is_idle() && self.responses.is_empty()
    }
}

//! What follows from what happened: interruptions, turns, and the way out.

use super::Bridge;
use crate::unheard_speech::Detection;
use crate::{Output, TimerAction};
use std::time::{Duration, Instant};

/// So much of what the agent is saying is heard out when the call may last no longer; a goodbye behind more of it
/// would not be heard any more.
const PLAYED_OUT: Duration = Duration::from_secs(8);

/// How long after it was sent the agent's voice may come back from the caller's phone.
const ECHO_DELAY: Duration = Duration::from_secs(1);

impl<P: Clone> Bridge<P> {
    /// Draws the consequences of what has just happened.
    pub(super) fn update_state(&mut self, now: Instant) {
        self.report_finished();
        let greets = |greeting| self.responses.has(greeting) || self.playout.has(greeting);
        if self.floor.protected().is_some_and(|greeting| !greets(greeting)) {
            self.floor.end_protection();
        }
        if self.is_agent_done() {
            self.floor.note_agent_done();
        }
        self.interrupt_if_due(now);
        let is_playing_recording = self.hangup.is_playing_recording();
        let is_answer_awaited = self.is_busy && self.hangup.is_postponed();
        let is_caller_awaited = self.floor.hears_caller() && !is_playing_recording;
        let are_keys_awaited = self.dtmf.poll_timeout().is_some() && self.hangup.is_postponed();
        let is_quiet = self.is_agent_done() && !is_caller_awaited && !is_answer_awaited && !are_keys_awaited;
        self.hangup.note_quiet(is_quiet, self.sound_until, now);
    }

    /// The caller speaks over the agent: what is queued is dropped, and so is what still comes of it.
    fn interrupt_if_due(&mut self, now: Instant) {
        let Some(interruption) = self.floor.poll_interruption(now) else { return };
        if interruption.is_local {
            self.outputs.push_back(Output::CancelResponse);
        }
        self.is_interruption_counted = false;
        self.discard_speech();
        self.postpone_hang_up(now);
    }

    /// The caller presses a key: the agent stops, as if the caller had spoken over it. A greeting or a goodbye that cannot be
    /// called off is said to its end.
    pub(super) fn interrupt_by_dtmf(&mut self) {
        let is_said_to_its_end = self.floor.protected().is_some()
            || self.hangup.is_agent_muted()
            || self.timers.is_some_and(|timers| timers.is_end_final());
        if !self.floor.policy().keys_interrupt || is_said_to_its_end || self.is_agent_done() {
            return;
        }
        self.outputs.push_back(Output::CancelResponse);
        self.is_interruption_counted = false;
        self.discard_speech();
    }

    /// The caller talks: a hang-up that was under way waits for one turn more, unless the call ends in any case.
    pub(super) fn postpone_hang_up(&mut self, now: Instant) {
        let is_end_final = self.timers.is_some_and(|timers| timers.is_end_final());
        if !is_end_final && self.hangup.postpone(self.responses.active(), now) {
            self.note_hanging_up(now);
            self.outputs.push_back(Output::HangUpPostponed);
        }
    }

    pub(super) fn end_caller_turn(&mut self, now: Instant) {
        self.note_caller_active(now);
        // Time may have passed unseen: whoever has spoken for long enough has interrupted.
        self.update_state(now);
        let answer = self.floor.stop_speech(now);
        if answer {
            self.latency.start(self.floor.reply(), now);
        }
        if self.floor.policy().decides_locally() {
            self.outputs.push_back(Output::TurnEnded { answer });
        }
    }

    /// The caller speaks, or pressed a key: nobody is silent, and whoever was about to hang up for that does not.
    pub(super) fn note_caller_active(&mut self, now: Instant) {
        let is_called_off = self.timers.as_mut().is_some_and(|timers| timers.note_caller_active(now));
        if is_called_off && !self.hangup.is_hanging_up() {
            self.outputs.push_back(Output::HangUpCancelled);
        }
    }

    pub(super) fn note_hanging_up(&mut self, now: Instant) {
        if let Some(timers) = &mut self.timers {
            timers.note_hanging_up(self.hangup.is_hanging_up(), now);
        }
    }

    pub(super) fn handle_timer_action(&mut self, action: TimerAction) {
        let is_last = matches!(action, TimerAction::SayGoodbye(reason) if reason.is_final());
        if is_last && self.playout.waiting() > PLAYED_OUT {
            self.outputs.push_back(Output::CancelResponse);
            self.truncate_speech();
        }
        if matches!(action, TimerAction::SayGoodbye(_)) {
            self.hangup.cancel_postponed();
        }
        self.outputs.push_back(match action {
            TimerAction::IdlePrompt { times } => Output::IdlePrompt { times },
            TimerAction::SayGoodbye(reason) => Output::SayGoodbye(reason),
            TimerAction::HangUp(reason) => {
                self.hangup.finish();
                Output::ForceHangUp(reason)
            }
        });
    }

    /// Listens to the caller beside the agent, who should say that it hears them.
    pub(super) fn detect_unheard_speech(&mut self, samples: &[i16], now: Instant) {
        let is_heard = self.floor.hears_caller() || self.is_session_down || self.hangup.is_hanging_up();
        if !self.is_open() || is_heard {
            return self.unheard.clear();
        }
        let may_be_echo = self.sound_until.is_some_and(|until| now < until + ECHO_DELAY);
        let found = self.unheard.note(samples, !may_be_echo);
        match found {
            Some(Detection::Speech) => {
                self.timers.iter_mut().for_each(|timers| timers.note_unheard_speech(now))
            }
            Some(Detection::DeafAgent) => {
                self.note_caller_active(now);
                self.outputs.push_back(Output::AgentIsDeaf);
            }
            None => {}
        }
    }

    /// The agent has nothing to say to what the caller said last.
    pub(super) fn note_empty_response(&mut self, response: &str) {
        if !self.floor.hears_caller() && !self.is_busy && self.hangup.note_empty_response(response) {
            self.finish_hang_up();
        }
    }

    /// All is said, and heard.
    pub(super) fn finish_hang_up(&mut self) {
        self.timers = None;
        self.outputs.push_back(Output::HangUp);
    }

    fn is_agent_done(&self) -> bool {
        self.playout.is_idle() && self.responses.is_empty()
    }
}

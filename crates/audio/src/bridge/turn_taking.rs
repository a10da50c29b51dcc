//! Applies barge-in, the caller's turns, call timers and hang-up to the bridge's state.

use super::Bridge;
use crate::unheard_speech::Detection;
use crate::{Output, TimerAction};
use std::time::{Duration, Instant};

/// The longest queued speech that is played out before a goodbye that cannot be cancelled; behind more speech the
/// goodbye would come too late to be heard.
const PLAYED_OUT: Duration = Duration::from_secs(8);

/// How long after it was sent the agent's voice may come back from the caller's phone as echo.
const ECHO_DELAY: Duration = Duration::from_secs(1);

impl<P: Clone> Bridge<P> {
    /// Updates floor, interruption and hang-up after an event or as time passes.
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
        let is_dtmf_awaited = self.dtmf.poll_timeout().is_some() && self.hangup.is_postponed();
        let is_quiet = self.is_agent_done() && !is_caller_awaited && !is_answer_awaited && !is_dtmf_awaited;
        self.hangup.note_quiet(is_quiet, self.sound_until, now);
    }

    /// Drops queued speech, and what the model still sends of it, if the caller has spoken over the agent for long
    /// enough.
    fn interrupt_if_due(&mut self, now: Instant) {
        let Some(interruption) = self.floor.poll_interruption(now) else { return };
        if interruption.is_local {
            self.outputs.push_back(Output::CancelResponse);
        }
        self.is_interruption_counted = false;
        self.discard_speech();
        self.postpone_hang_up(now);
    }

    /// Stops the agent for a DTMF digit, as speech over it does. A protected greeting or a final goodbye is played to
    /// its end.
    pub(super) fn interrupt_by_dtmf(&mut self) {
        let is_protected = self.floor.protected().is_some()
            || self.hangup.is_agent_muted()
            || self.timers.is_some_and(|timers| timers.is_end_final());
        if !self.floor.policy().keys_interrupt || is_protected || self.is_agent_done() {
            return;
        }
        self.outputs.push_back(Output::CancelResponse);
        self.is_interruption_counted = false;
        self.discard_speech();
    }

    /// Postpones a hang-up by one turn because the caller speaks, unless the end is final.
    pub(super) fn postpone_hang_up(&mut self, now: Instant) {
        let is_end_final = self.timers.is_some_and(|timers| timers.is_end_final());
        if !is_end_final && self.hangup.postpone(self.responses.active(), now) {
            self.note_hanging_up(now);
            self.outputs.push_back(Output::HangUpPostponed);
        }
    }

    pub(super) fn end_caller_turn(&mut self, now: Instant) {
        self.note_caller_active(now);
        // Time may have passed since the last timeout: a caller who has spoken for long enough has interrupted.
        self.update_state(now);
        let answer = self.floor.stop_speech(now);
        if answer {
            self.latency.start(self.floor.reply(), now);
        }
        if self.floor.policy().decides_locally() {
            self.outputs.push_back(Output::TurnEnded { answer });
        }
    }

    /// Notes speech or a DTMF digit of the caller, which cancels a goodbye to an idle line.
    pub(super) fn note_caller_active(&mut self, now: Instant) {
        let is_cancelled = self.timers.as_mut().is_some_and(|timers| timers.note_caller_active(now));
        if is_cancelled && !self.hangup.is_hanging_up() {
            self.outputs.push_back(Output::HangUpCancelled);
        }
    }

    pub(super) fn note_hanging_up(&mut self, now: Instant) {
        if let Some(timers) = &mut self.timers {
            timers.note_hanging_up(self.hangup.is_hanging_up(), now);
        }
    }

    pub(super) fn handle_timer_action(&mut self, action: TimerAction) {
        let is_final = matches!(action, TimerAction::SayGoodbye(reason) if reason.is_final());
        if is_final && self.playout.waiting() > PLAYED_OUT {
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

    /// Listens to the caller's audio beside the model, whose voice activity detection should report speech.
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

    /// Notes that the agent's answer to the caller's last speech was empty.
    pub(super) fn note_empty_response(&mut self, response: &str) {
        if !self.floor.hears_caller() && !self.is_busy && self.hangup.note_empty_response(response) {
            self.finish_hang_up();
        }
    }

    pub(super) fn finish_hang_up(&mut self) {
        self.timers = None;
        self.outputs.push_back(Output::HangUp);
    }

    fn is_agent_done(&self) -> bool {
        self.playout.is_idle() && self.responses.is_empty()
    }
}

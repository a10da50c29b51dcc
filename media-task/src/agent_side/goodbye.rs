//! Ends a call with a goodbye: the agent's last words are requested, played to their end, and then the call is hung up.

use super::instruction::instruction;
use super::{AgentSide, CallerSide};
use agents::Words;
use audio::TimeoutReason;
use call::Ending;
use realtime::{Purpose, ResponseId};
use std::time::Instant;

impl AgentSide {
    /// Hangs up as the agent asked. If it has not spoken since the caller last did, it is asked for a goodbye first, once.
    pub(super) fn hang_up_after_goodbye(&mut self, caller: &mut impl CallerSide, now: Instant) {
        if self.closing.has_agent_spoken() || self.closing.is_leaving() {
            return self.hang_up_when_silent(caller, now);
        }
        let goodbye = instruction(&self.loaded.file.limits.goodbye);
        self.request_farewell(Ending::AgentSaidGoodbye, &goodbye, true, now);
    }

    /// Hangs up once all of the agent's speech has been played.
    fn hang_up_when_silent(&mut self, caller: &mut impl CallerSide, now: Instant) {
        self.closing.note_goodbye_queued(Ending::AgentSaidGoodbye);
        self.model.set_leaving(true);
        caller.hang_up_when_silent(now);
    }

    /// Ends the call because the task is draining: with a goodbye if the call is open, at once if it is not or if this is the second
    /// time.
    pub(crate) fn drain(&mut self, caller: &mut impl CallerSide) {
        if self.closing.note_draining() || !caller.end_now(TimeoutReason::Draining) {
            self.closing.end(Ending::Drained);
        }
    }

    /// Has the agent say goodbye after a timeout, a reached cap or the task's drain.
    pub(super) fn say_goodbye(&mut self, reason: TimeoutReason, now: Instant) {
        let agent = &self.loaded.file;
        let words = match reason {
            TimeoutReason::Draining => {
                instruction(&Words::Exact(agents::leaving(&agent.language).to_owned()))
            }
            TimeoutReason::TookTooLong
            | TimeoutReason::BothSilent
            | TimeoutReason::CallerVanished
            | TimeoutReason::CapReached => instruction(&agent.limits.goodbye),
        };
        // A caller who speaks up withdraws a goodbye that was for their silence.
        self.request_farewell(ending(reason), &words, reason.is_final(), now);
    }

    fn request_farewell(&mut self, ending: Ending, words: &str, insists: bool, now: Instant) {
        self.closing.note_goodbye_asked(ending);
        self.model.set_leaving(true);
        self.model.request_response(words, insists, now);
    }

    /// Continues the call: the caller spoke up during a goodbye that was for their silence.
    pub(super) fn withdraw_farewell(&mut self, now: Instant) {
        self.closing.withdraw();
        self.model.set_leaving(false);
        self.model.withdraw_request(now);
        self.report_undelivered(now);
    }

    /// Ends the call without waiting for a goodbye any longer.
    pub(super) fn give_up(&mut self, reason: TimeoutReason) {
        self.closing.end(ending(reason));
    }

    /// Notes that a response is complete: if it was the goodbye, the call ends once it has been played.
    pub(crate) fn note_response_done(
        &mut self,
        response: &ResponseId,
        caller: &mut impl CallerSide,
        now: Instant,
    ) {
        if self.closing.note_response_done(response) {
            caller.hang_up_when_silent(now);
        }
        self.note_transfer_announced(caller, now);
        self.end_call_if_asked(caller, now);
    }

    /// Ends the call without a goodbye if the requested one came without audio twice.
    pub(super) fn note_silent_response(
        &mut self,
        purpose: Purpose,
        caller: &mut impl CallerSide,
        now: Instant,
    ) {
        if !self.closing.note_silent_response(purpose) {
            return;
        }
        if caller.is_playing() {
            caller.hang_up_when_silent(now);
        } else {
            self.closing.hang_up();
        }
    }
}

fn ending(reason: TimeoutReason) -> Ending {
    match reason {
        TimeoutReason::TookTooLong => Ending::TookTooLong,
        TimeoutReason::BothSilent => Ending::BothSilent,
        TimeoutReason::CallerVanished => Ending::CallerVanished,
        TimeoutReason::Draining => Ending::Drained,
        TimeoutReason::CapReached => Ending::CapReached,
    }
}

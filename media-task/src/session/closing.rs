//! Ends a call with a goodbye: the agent's last words are requested, played to their end, and then the call is hung up.

use super::farewell::Farewell;
use super::outgoing_media::instruction;
use super::{CallSession, SessionEnd, outage_message};
use agents::Words;
use audio::TimeoutReason;
use call::Ending;
use realtime::Purpose;
use std::time::Instant;

/// How far the call is on its way to its end.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// The end, once it is decided.
    pub(super) end: Option<SessionEnd>,
    farewell: Option<Farewell>,
    is_draining: bool,
    /// Whether the agent has spoken since the caller last spoke.
    has_agent_spoken: bool,
}

impl Closing {
    /// Ends the call, unless it has an end already; call-control is told the ending.
    pub(super) fn end(&mut self, ending: Ending) {
        self.end.get_or_insert(SessionEnd::Unreported(ending));
    }

    /// Whether a goodbye is under way.
    pub(super) fn is_leaving(&self) -> bool {
        self.farewell.is_some()
    }

    /// Whether all of the goodbye is in the playout queue.
    fn has_said_goodbye(&self) -> bool {
        self.farewell.as_ref().is_some_and(Farewell::is_queued)
    }

    /// Notes that the caller speaks.
    pub(super) fn note_caller_speaks(&mut self) {
        self.has_agent_spoken = false;
    }

    /// Notes that a response has audio.
    pub(super) fn note_audio(&mut self, response: &str) {
        self.has_agent_spoken = true;
        self.farewell.iter_mut().for_each(|farewell| farewell.note_audio(response));
    }

    /// Notes that a requested response begins: the goodbye, if one is due.
    pub(super) fn note_requested_response(&mut self, response: &str) {
        self.farewell.iter_mut().for_each(|farewell| farewell.note_response_began(response));
    }

    /// Hangs up: the goodbye has been played.
    pub(super) fn hang_up(&mut self) {
        let ending = self.farewell.take().map_or(Ending::AgentSaidGoodbye, |farewell| farewell.ending());
        self.end(ending);
    }

    /// Ends the call without waiting for a goodbye any longer.
    pub(super) fn give_up(&mut self, reason: TimeoutReason) {
        self.end(ending(reason));
    }
}

impl CallSession {
    /// Hangs up as the agent asked. If it has not spoken since the caller last did, it is asked for a goodbye first, once.
    pub(super) fn hang_up_after_goodbye(&mut self, now: Instant) {
        if self.closing.has_agent_spoken || self.closing.is_leaving() {
            return self.hang_up_when_silent(now);
        }
        let goodbye = instruction(&self.agent.file.limits.goodbye);
        self.request_farewell(Ending::AgentSaidGoodbye, &goodbye, true, now);
    }

    /// Hangs up once everything in the playout queue has been played.
    fn hang_up_when_silent(&mut self, now: Instant) {
        self.closing.farewell = Some(Farewell::queued(Ending::AgentSaidGoodbye));
        self.model.set_leaving(true);
        self.bridge.hang_up_when_silent(now);
    }

    /// Ends the call because the task is draining: with a goodbye if the call is open, at once if it is not or if this is the second
    /// time.
    pub(super) fn drain(&mut self) {
        if self.closing.is_draining || !self.bridge.drain() {
            self.closing.end(Ending::Drained);
        }
        self.closing.is_draining = true;
    }

    /// Has the agent say goodbye after a timeout, a reached cap or the task's drain.
    pub(super) fn say_goodbye(&mut self, reason: TimeoutReason, now: Instant) {
        let agent = &self.agent.file;
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
        self.closing.farewell = Some(Farewell::asked(ending));
        self.model.set_leaving(true);
        self.model.request_response(words, insists, now);
    }

    /// Goes on with the call: the caller spoke up during a goodbye that was for their silence.
    pub(super) fn withdraw_farewell(&mut self, now: Instant) {
        self.closing.farewell = None;
        self.model.set_leaving(false);
        self.model.withdraw_request(now);
        self.report_undelivered(now);
    }

    /// Ends the call after the model has failed for good: with the recorded outage message if the call is open, else by refusing it.
    pub(super) fn end_without_model(&mut self, now: Instant) {
        if self.bridge.is_open() && self.closing.has_said_goodbye() {
            // The goodbye plays to its end; no outage message is needed.
        } else if self.bridge.is_open() {
            self.play_outage_message(now);
        } else {
            self.closing.end(Ending::AgentUnavailable);
        }
    }

    /// Plays the recorded outage message, then hangs up.
    fn play_outage_message(&mut self, now: Instant) {
        self.closing.farewell = Some(Farewell::queued(Ending::AgentUnavailable));
        self.bridge.play_recording(outage_message::in_language(&self.agent.file.language), now);
    }

    /// Notes that a response is complete: if it was the goodbye, the call ends once it has been played.
    pub(super) fn note_farewell_said(&mut self, response: &str, now: Instant) {
        if self.closing.farewell.as_mut().is_some_and(|farewell| farewell.note_ended(response)) {
            self.bridge.hang_up_when_silent(now);
        }
    }

    /// Ends the call without a goodbye if the requested one came without audio twice.
    pub(super) fn note_farewell_silent(&mut self, purpose: Purpose, now: Instant) {
        if !self.closing.farewell.as_mut().is_some_and(|farewell| farewell.note_silent(purpose)) {
            return;
        }
        if self.bridge.is_playing() {
            self.bridge.hang_up_when_silent(now);
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

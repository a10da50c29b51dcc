//! Ends a call with a goodbye: the agent's last words are requested, played to their end, and then the call is hung up.

use super::outage_message;
use super::outgoing_media::instruction;
use super::{CallSession, SessionEnd};
use agents::Words;
use audio::TimeoutReason;
use call::Ending;
use realtime::Purpose;
use std::time::Instant;

/// A goodbye under way: the call ends once it has been played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Farewell {
    ending: Ending,
    stage: FarewellStage,
}

/// How far a goodbye is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FarewellStage {
    /// The model was asked for it.
    Asked,
    /// This response is saying it.
    Begun { response: String, has_audio: bool },
    /// All of it is in the playout queue.
    Queued,
}

impl Farewell {
    fn asked(ending: Ending) -> Self {
        Self { ending, stage: FarewellStage::Asked }
    }

    fn queued(ending: Ending) -> Self {
        Self { ending, stage: FarewellStage::Queued }
    }

    /// Notes that the requested response begins.
    fn note_response_began(&mut self, response: String) {
        if self.stage == FarewellStage::Asked {
            self.stage = FarewellStage::Begun { response, has_audio: false };
        }
    }

    /// Notes that a response has audio.
    fn note_audio(&mut self, sounding: &str) {
        if let FarewellStage::Begun { response, has_audio } = &mut self.stage {
            *has_audio |= response == sounding;
        }
    }

    /// Notes that a response ended, and returns whether it was the goodbye. A goodbye without audio is requested again.
    fn note_ended(&mut self, ended: &str) -> bool {
        let FarewellStage::Begun { response, has_audio } = &self.stage else { return false };
        if response != ended {
            return false;
        }
        let is_said = *has_audio;
        self.stage = if is_said { FarewellStage::Queued } else { FarewellStage::Asked };
        is_said
    }

    /// Notes that a requested response came without audio twice, and returns whether it was the goodbye: no other is requested.
    fn note_silent(&mut self, purpose: Purpose) -> bool {
        let is_farewell = self.stage == FarewellStage::Asked && purpose == Purpose::Asked;
        if is_farewell {
            self.stage = FarewellStage::Queued;
        }
        is_farewell
    }
}

impl CallSession {
    /// Hangs up once everything in the playout queue has been played.
    pub(super) fn hang_up_when_silent(&mut self, now: Instant) {
        self.farewell = Some(Farewell::queued(Ending::AgentSaidGoodbye));
        self.parts.model.set_leaving(true);
        self.bridge.hang_up_when_silent(now);
    }

    /// Hangs up as the agent asked. If it has not spoken since the caller last did, it is asked for a goodbye first, once.
    pub(super) fn hang_up_after_goodbye(&mut self, now: Instant) {
        if self.has_spoken || self.farewell.is_some() {
            return self.hang_up_when_silent(now);
        }
        self.farewell = Some(Farewell::asked(Ending::AgentSaidGoodbye));
        self.parts.model.set_leaving(true);
        self.parts.model.request_response(&instruction(&self.parts.agent.file.limits.goodbye), true, now);
    }

    /// Ends the call because the task is draining: with a goodbye if the call is open, at once if it is not or if this is the second
    /// time.
    pub(super) fn drain(&mut self) {
        if self.is_draining || !self.bridge.drain() {
            self.end.get_or_insert(SessionEnd::Unreported(Ending::Drained));
        }
        self.is_draining = true;
    }

    /// Has the agent say goodbye after a timeout, a reached cap or the task's drain.
    pub(super) fn say_goodbye(&mut self, reason: TimeoutReason, now: Instant) {
        self.farewell = Some(Farewell::asked(ending(reason)));
        self.parts.model.set_leaving(true);
        let agent = &self.parts.agent.file;
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
        self.parts.model.request_response(&words, reason.is_final(), now);
    }

    /// Plays the recorded outage message, then hangs up: the model has failed for good.
    pub(super) fn play_outage_message(&mut self, now: Instant) {
        self.farewell = Some(Farewell::queued(Ending::AgentUnavailable));
        self.bridge.play_recording(outage_message::in_language(&self.parts.agent.file.language), now);
    }

    /// Whether all of the goodbye is in the playout queue.
    pub(super) fn has_said_goodbye(&self) -> bool {
        self.farewell.as_ref().is_some_and(|farewell| farewell.stage == FarewellStage::Queued)
    }

    /// Notes that a requested response begins: the goodbye, if one is due.
    pub(super) fn note_farewell_began(&mut self, response: &str) {
        self.farewell.iter_mut().for_each(|farewell| farewell.note_response_began(response.to_owned()));
    }

    /// Notes that a response has audio.
    pub(super) fn note_farewell_audio(&mut self, response: &str) {
        self.farewell.iter_mut().for_each(|farewell| farewell.note_audio(response));
    }

    /// Notes that a response is complete: if it was the goodbye, the call ends once it has been played.
    pub(super) fn note_farewell_said(&mut self, response: &str, now: Instant) {
        if self.farewell.as_mut().is_some_and(|farewell| farewell.note_ended(response)) {
            self.bridge.hang_up_when_silent(now);
        }
    }

    /// Ends the call without a goodbye if the requested one came without audio twice.
    pub(super) fn note_farewell_silent(&mut self, purpose: Purpose, now: Instant) {
        if !self.farewell.as_mut().is_some_and(|farewell| farewell.note_silent(purpose)) {
            return;
        }
        if self.bridge.is_playing() {
            self.bridge.hang_up_when_silent(now);
        } else {
            self.hang_up();
        }
    }

    /// Hangs up: the goodbye has been played.
    pub(super) fn hang_up(&mut self) {
        let ending = self.farewell.take().map_or(Ending::AgentSaidGoodbye, |farewell| farewell.ending);
        self.end.get_or_insert(SessionEnd::Unreported(ending));
    }

    /// Ends the call without waiting for a goodbye any longer.
    pub(super) fn give_up(&mut self, reason: TimeoutReason) {
        self.end.get_or_insert(SessionEnd::Unreported(ending(reason)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goodbye_is_said_once_a_response_with_audio_ended() {
        let mut farewell = Farewell::asked(Ending::TookTooLong);
        farewell.note_audio("an answer under way");
        assert!(!farewell.note_ended("an answer under way"));

        farewell.note_response_began("silent".into());
        assert!(!farewell.note_ended("silent"), "it failed, and is asked for again");
        farewell.note_response_began("goodbye".into());
        farewell.note_audio("goodbye");

        assert!(farewell.note_ended("goodbye"));
        assert_eq!(farewell, Farewell::queued(Ending::TookTooLong));
        assert!(!farewell.note_ended("goodbye"), "once");
    }

    #[test]
    fn a_goodbye_that_stays_silent_is_given_up() {
        let mut farewell = Farewell::asked(Ending::TookTooLong);
        assert!(!farewell.note_silent(Purpose::Answer), "an answer under way");
        farewell.note_response_began("mute".into());
        farewell.note_ended("mute");

        assert!(farewell.note_silent(Purpose::Asked));
        assert!(!farewell.note_silent(Purpose::Asked), "once");
        assert_eq!(farewell, Farewell::queued(Ending::TookTooLong));
    }
}

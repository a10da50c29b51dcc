//! How a call that is to end is brought to its end: the last words are said, and heard, before anybody hangs up.

use super::outgoing_media::say;
use super::{CallSession, SessionEnd};
use crate::outage_message;
use agents::Words;
use audio::TimeoutReason;
use call::Ending;
use realtime::Purpose;
use std::time::Instant;

/// A call that is to end as soon as the last words are heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Farewell {
    ending: Ending,
    words: FarewellStage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum FarewellStage {
    /// The agent was asked for them.
    Asked,
    /// They are being said, by this response.
    Begun { response: String, has_sound: bool },
    /// They are queued.
    Queued,
}

impl Farewell {
    fn asked(ending: Ending) -> Self {
        Self { ending, words: FarewellStage::Asked }
    }

    fn queued(ending: Ending) -> Self {
        Self { ending, words: FarewellStage::Queued }
    }

    /// What was asked for begins.
    fn note_began(&mut self, response: String) {
        if self.words == FarewellStage::Asked {
            self.words = FarewellStage::Begun { response, has_sound: false };
        }
    }

    /// A response can be heard.
    fn note_sounds(&mut self, heard: &str) {
        if let FarewellStage::Begun { response, has_sound } = &mut self.words {
            *has_sound |= response == heard;
        }
    }

    /// A response is over. Whether the last words are said: those nobody heard a sound of are still to come.
    fn note_ended(&mut self, ended: &str) -> bool {
        let FarewellStage::Begun { response, has_sound } = &self.words else { return false };
        if response != ended {
            return false;
        }
        let is_said = *has_sound;
        self.words = if is_said { FarewellStage::Queued } else { FarewellStage::Asked };
        is_said
    }

    /// What was asked for came without a sound, twice. Whether it was the last words: nothing more comes of them.
    fn note_mute(&mut self, purpose: Purpose) -> bool {
        let is_it = self.words == FarewellStage::Asked && purpose == Purpose::Asked;
        if is_it {
            self.words = FarewellStage::Queued;
        }
        is_it
    }
}

impl CallSession {
    /// The agent wants to hang up, once it has finished its sentence.
    pub(super) fn hang_up_after_this(&mut self, now: Instant) {
        self.farewell = Some(Farewell::queued(Ending::AgentSaidGoodbye));
        self.parts.agent.set_leaving(true);
        self.bridge.hang_up_when_silent(now);
    }

    /// The agent wants to hang up. One that has said nothing to the caller's last words is asked for a goodbye first, once.
    pub(super) fn hang_up_with_words(&mut self, now: Instant) {
        if self.has_said_something || self.farewell.is_some() {
            return self.hang_up_after_this(now);
        }
        self.farewell = Some(Farewell::asked(Ending::AgentSaidGoodbye));
        self.parts.agent.set_leaving(true);
        self.parts.agent.ask(&say(&self.parts.role.agent.limits.goodbye), true, now);
    }

    /// This task must leave: a caller who talks is told, one whose call is not open yet is let go. Told again, it leaves
    /// without another word.
    pub(super) fn must_leave(&mut self) {
        if self.must_leave || !self.bridge.drain() {
            self.over.get_or_insert(SessionEnd::Because(Ending::Drained));
        }
        self.must_leave = true;
    }

    /// The time is over, or nobody says anything: the agent says goodbye.
    pub(super) fn say_goodbye(&mut self, verdict: TimeoutReason, now: Instant) {
        self.farewell = Some(Farewell::asked(ending(verdict)));
        self.parts.agent.set_leaving(true);
        let agent = &self.parts.role.agent;
        let words = match verdict {
            TimeoutReason::Draining => say(&Words::Exact(agents::leaving(&agent.language).to_owned())),
            TimeoutReason::TookTooLong
            | TimeoutReason::BothSilent
            | TimeoutReason::CallerVanished
            | TimeoutReason::CapReached => say(&agent.limits.goodbye),
        };
        // To a caller who speaks up, nobody says goodbye for their silence.
        self.parts.agent.ask(&words, verdict.is_final(), now);
    }

    /// The agent is gone: a recording says so.
    pub(super) fn apologise(&mut self, now: Instant) {
        self.farewell = Some(Farewell::queued(Ending::AgentUnavailable));
        self.bridge.play_recording(outage_message::in_language(&self.parts.role.agent.language), now);
    }

    /// Whether the last words are said, and wait to be heard.
    pub(super) fn has_said_goodbye(&self) -> bool {
        self.farewell.as_ref().is_some_and(|farewell| farewell.words == FarewellStage::Queued)
    }

    /// What the agent was asked to say begins: the last words, if they are due.
    pub(super) fn note_farewell_began(&mut self, response: String) {
        self.farewell.iter_mut().for_each(|farewell| farewell.note_began(response.clone()));
    }

    /// A response can be heard.
    pub(super) fn note_farewell_sounds(&mut self, response: &str) {
        self.farewell.iter_mut().for_each(|farewell| farewell.note_sounds(response));
    }

    /// A response is whole: if it was the last words, the call ends once they are heard.
    pub(super) fn note_farewell_said(&mut self, response: &str, now: Instant) {
        if self.farewell.as_mut().is_some_and(|farewell| farewell.note_ended(response)) {
            self.bridge.hang_up_when_silent(now);
        }
    }

    /// Last words that were asked for came without a sound, twice: the call ends without them.
    pub(super) fn note_farewell_mute(&mut self, purpose: Purpose, now: Instant) {
        if !self.farewell.as_mut().is_some_and(|farewell| farewell.note_mute(purpose)) {
            return;
        }
        if self.bridge.is_playing() {
            self.bridge.hang_up_when_silent(now);
        } else {
            self.hang_up();
        }
    }

    /// The last words were heard.
    pub(super) fn hang_up(&mut self) {
        let ending = self.farewell.take().map_or(Ending::AgentSaidGoodbye, |farewell| farewell.ending);
        self.over.get_or_insert(SessionEnd::Because(ending));
    }

    /// Nobody waits for last words any more.
    pub(super) fn give_up(&mut self, verdict: TimeoutReason) {
        self.over.get_or_insert(SessionEnd::Because(ending(verdict)));
    }
}

fn ending(verdict: TimeoutReason) -> Ending {
    match verdict {
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
    fn last_words_are_said_once_a_sound_of_them_came_and_they_ended() {
        let mut farewell = Farewell::asked(Ending::TookTooLong);
        farewell.note_sounds("an answer under way");
        assert!(!farewell.note_ended("an answer under way"));

        farewell.note_began("silent".into());
        assert!(!farewell.note_ended("silent"), "it failed, and is asked for again");
        farewell.note_began("goodbye".into());
        farewell.note_sounds("goodbye");

        assert!(farewell.note_ended("goodbye"));
        assert_eq!(farewell, Farewell::queued(Ending::TookTooLong));
        assert!(!farewell.note_ended("goodbye"), "once");
    }

    #[test]
    fn last_words_that_stay_mute_are_no_longer_waited_for() {
        let mut farewell = Farewell::asked(Ending::TookTooLong);
        assert!(!farewell.note_mute(Purpose::Answer), "an answer under way");
        farewell.note_began("mute".into());
        farewell.note_ended("mute");

        assert!(farewell.note_mute(Purpose::Asked));
        assert!(!farewell.note_mute(Purpose::Asked), "once");
        assert_eq!(farewell, Farewell::queued(Ending::TookTooLong));
    }
}

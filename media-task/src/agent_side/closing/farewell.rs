//! Follows the agent's goodbye: requested, said, and played to its end before the call is hung up.

use call::Ending;
use realtime::{Purpose, ResponseId};

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
    Begun { response: ResponseId, has_audio: bool },
    /// All of it is in the playout queue.
    Queued,
}

impl Farewell {
    /// Creates a goodbye that the model is asked for.
    pub(super) fn asked(ending: Ending) -> Self {
        Self { ending, stage: FarewellStage::Asked }
    }

    /// Creates a goodbye that is in the playout queue already.
    pub(super) fn queued(ending: Ending) -> Self {
        Self { ending, stage: FarewellStage::Queued }
    }

    /// Notes that the requested response begins.
    pub(super) fn note_response_began(&mut self, response: &ResponseId) {
        if self.stage == FarewellStage::Asked {
            self.stage = FarewellStage::Begun { response: response.clone(), has_audio: false };
        }
    }

    /// Notes that a response has audio.
    pub(super) fn note_audio(&mut self, sounding: &ResponseId) {
        if let FarewellStage::Begun { response, has_audio } = &mut self.stage {
            *has_audio |= response == sounding;
        }
    }

    /// Notes that a response ended, and returns whether it was the goodbye. A goodbye without audio is requested again.
    pub(super) fn note_ended(&mut self, ended: &ResponseId) -> bool {
        let FarewellStage::Begun { response, has_audio } = &self.stage else {
            return false;
        };
        if response != ended {
            return false;
        }
        let is_said = *has_audio;
        self.stage = if is_said { FarewellStage::Queued } else { FarewellStage::Asked };
        is_said
    }

    /// Notes that a requested response came without audio twice, and returns whether it was the goodbye: no other is requested.
    pub(super) fn note_silent(&mut self, purpose: Purpose) -> bool {
        let is_farewell = self.stage == FarewellStage::Asked && purpose == Purpose::Asked;
        if is_farewell {
            self.stage = FarewellStage::Queued;
        }
        is_farewell
    }

    /// Whether all of it is in the playout queue.
    pub(super) fn is_queued(&self) -> bool {
        self.stage == FarewellStage::Queued
    }

    /// Returns how the call ends after it.
    pub(super) fn ending(&self) -> Ending {
        self.ending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goodbye_is_said_once_a_response_with_audio_ended() {
        let mut farewell = Farewell::asked(Ending::TookTooLong);
        farewell.note_audio(&"an answer under way".into());
        assert!(!farewell.note_ended(&"an answer under way".into()));

        farewell.note_response_began(&"silent".into());
        assert!(!farewell.note_ended(&"silent".into()), "it failed, and is asked for again");
        farewell.note_response_began(&"goodbye".into());
        farewell.note_audio(&"goodbye".into());

        assert!(farewell.note_ended(&"goodbye".into()));
        assert_eq!(farewell, Farewell::queued(Ending::TookTooLong));
        assert!(!farewell.note_ended(&"goodbye".into()), "once");
    }

    #[test]
    fn a_goodbye_that_stays_silent_is_given_up() {
        let mut farewell = Farewell::asked(Ending::TookTooLong);
        assert!(!farewell.note_silent(Purpose::Answer), "an answer under way");
        farewell.note_response_began(&"mute".into());
        farewell.note_ended(&"mute".into());

        assert!(farewell.note_silent(Purpose::Asked));
        assert!(!farewell.note_silent(Purpose::Asked), "once");
        assert_eq!(farewell, Farewell::queued(Ending::TookTooLong));
    }
}

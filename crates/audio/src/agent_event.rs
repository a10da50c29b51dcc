//! The events of the agent's speech that the bridge acts on, and which of its responses are still current.

use crate::ItemId;
use std::collections::VecDeque;

/// How many interrupted responses and finished items are remembered: the model's late audio of them must not be
/// played.
const REMEMBERED: usize = 32;

/// An event of the agent, whichever model is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentEvent {
    /// The model started a response.
    ResponseStarted {
        /// The response's id.
        response: String,
    },
    /// The model sent audio.
    Audio {
        /// The response that the audio belongs to.
        response: String,
        /// The item that the audio belongs to.
        item: ItemId,
        /// 24 kHz, mono.
        samples: Vec<i16>,
    },
    /// The item's audio is complete.
    ItemDone {
        /// The item's id.
        item: ItemId,
    },
    /// The response ended, completed or not.
    ResponseDone {
        /// The response's id.
        response: String,
    },
    /// The agent's voice activity detection hears the caller speak.
    SpeechStarted,
    /// The agent's voice activity detection hears the caller stop.
    SpeechStopped,
    /// The model's session was lost or is being replaced: responses in progress are never completed, and speech in
    /// progress is no longer tracked.
    SessionReplaced,
    /// The new session receives the caller's audio.
    SessionReady,
    /// A response that was not interrupted ends without audio and without a tool call.
    ResponseEmpty {
        /// The response's id.
        response: String,
    },
}

/// The responses in progress, and those whose late audio is to be dropped.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    active: Vec<String>,
    discarded: VecDeque<String>,
    over: VecDeque<ItemId>,
}

impl Responses {
    /// Notes an event of a response, and returns whether it is current: an interrupted one is not.
    pub(crate) fn note(&mut self, response: &str) -> bool {
        let is_current = !self.discarded.iter().any(|known| known == response);
        if is_current && !self.has(response) {
            self.active.push(response.to_owned());
        }
        is_current
    }

    pub(crate) fn end(&mut self, response: &str) {
        self.active.retain(|active| active != response);
    }

    pub(crate) fn end_all(&mut self) {
        self.active.clear();
    }

    pub(crate) fn active(&self) -> &[String] {
        &self.active
    }

    /// Marks the responses in progress as interrupted: their later audio is dropped.
    pub(crate) fn discard(&mut self) {
        self.discarded.extend(self.active.drain(..));
        keep_latest(&mut self.discarded);
    }

    /// Notes that an item was played to its end, or cut.
    pub(crate) fn end_item(&mut self, item: &ItemId) {
        self.over.push_back(item.clone());
        keep_latest(&mut self.over);
    }

    pub(crate) fn has_ended(&self, item: &ItemId) -> bool {
        self.over.contains(item)
    }

    /// Whether the response is in progress.
    pub(crate) fn has(&self, response: &str) -> bool {
        self.active.iter().any(|active| active == response)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }
}

fn keep_latest<T>(all: &mut VecDeque<T>) {
    let too_many = all.len().saturating_sub(REMEMBERED);
    all.drain(..too_many);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discarded_response_never_becomes_current_again() {
        let mut responses = Responses::default();
        assert!(responses.note("r1"));
        responses.discard();

        assert!(!responses.note("r1"));
        responses.end("r1");
        assert!(!responses.note("r1"));
        assert!(responses.note("r2"));
    }

    #[test]
    fn memory_is_bounded_over_many_interruptions() {
        let mut responses = Responses::default();
        for n in 0..10_000 {
            responses.note(&format!("r{n}"));
            responses.discard();
        }

        assert_eq!((responses.discarded.len(), responses.active.len()), (REMEMBERED, 0));
        assert!(!responses.note("r9999"));
    }
}

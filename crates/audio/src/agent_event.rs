//! What the agent does, and which of its responses still count.

use crate::ItemId;
use std::collections::VecDeque;

/// So many responses that were interrupted, and items that are over, are remembered: their late sound must not be
/// played.
const REMEMBERED: usize = 32;

/// What the agent does, whichever model is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentEvent {
    /// It begins a response.
    ResponseStarted {
        /// The response's id.
        response: String,
    },
    /// It says something.
    Audio {
        /// The response this belongs to.
        response: String,
        /// The item this belongs to.
        item: ItemId,
        /// 24 kHz, mono.
        samples: Vec<i16>,
    },
    /// An item is whole.
    ItemDone {
        /// Which.
        item: ItemId,
    },
    /// A response is over.
    ResponseDone {
        /// Which.
        response: String,
    },
    /// It hears the caller speak.
    SpeechStarted,
    /// It hears the caller no more.
    SpeechStopped,
    /// It is another one from here on: what was under way will not be gone on with, whom it heard it hears no more.
    SessionReplaced,
    /// The other one listens.
    SessionReady,
    /// A response is ending that brought neither sound nor the use of a tool, though it was not interrupted.
    ResponseEmpty {
        /// Which.
        response: String,
    },
}

/// The responses that something may still come of.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    active: Vec<String>,
    discarded: VecDeque<String>,
    over: VecDeque<ItemId>,
}

impl Responses {
    /// Notes a sign of a response. Whether it counts: one that was interrupted does not.
    pub(crate) fn note(&mut self, response: &str) -> bool {
        let counts = !self.discarded.iter().any(|known| known == response);
        if counts && !self.has(response) {
            self.active.push(response.to_owned());
        }
        counts
    }

    /// Notes that nothing more comes of a response.
    pub(crate) fn end(&mut self, response: &str) {
        self.active.retain(|active| active != response);
    }

    /// Notes that nothing more comes of any.
    pub(crate) fn end_all(&mut self) {
        self.active.clear();
    }

    /// Those under way.
    pub(crate) fn active(&self) -> &[String] {
        &self.active
    }

    /// Whatever still comes of those under way is not to be played.
    pub(crate) fn discard(&mut self) {
        self.discarded.extend(self.active.drain(..));
        keep_latest(&mut self.discarded);
    }

    /// Notes that an item is over: played or cut.
    pub(crate) fn end_item(&mut self, item: &ItemId) {
        self.over.push_back(item.clone());
        keep_latest(&mut self.over);
    }

    /// Whether an item was over already.
    pub(crate) fn has_ended(&self, item: &ItemId) -> bool {
        self.over.contains(item)
    }

    /// Whether something may still come of this one.
    pub(crate) fn has(&self, response: &str) -> bool {
        self.active.iter().any(|active| active == response)
    }

    /// Whether nothing is to be expected.
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
    fn a_discarded_response_never_counts_again_however_often_it_is_heard_of() {
        let mut responses = Responses::default();
        assert!(responses.note("r1"));
        responses.discard();

        assert!(!responses.note("r1"));
        responses.end("r1");
        assert!(!responses.note("r1"));
        assert!(responses.note("r2"));
    }

    #[test]
    fn an_hour_of_interruptions_takes_no_more_room_than_a_minute() {
        let mut responses = Responses::default();
        for n in 0..10_000 {
            responses.note(&format!("r{n}"));
            responses.discard();
        }

        assert_eq!((responses.discarded.len(), responses.active.len()), (REMEMBERED, 0));
        assert!(!responses.note("r9999"));
    }
}

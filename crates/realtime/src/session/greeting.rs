//! The greeting: once in a call, and until it is over the caller may be unable to interrupt.

use super::Session;
use crate::ClientEvent;
use std::collections::HashSet;

/// How far the greeting is.
#[derive(Debug, Default)]
pub(super) struct GreetingState {
    stage: Stage,
    /// The response that is it.
    response: Option<String>,
    /// What of it was not heard to its end yet.
    unheard: HashSet<String>,
    has_sound: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Wanted,
    /// All of it has come.
    Said,
    /// It was heard, or will never be.
    Over,
}

impl GreetingState {
    pub(super) fn began(&mut self, response: &str) {
        self.response = Some(response.to_owned());
    }

    pub(super) fn said(&mut self, response: &str, item: &str) {
        if self.stage == Stage::Wanted && self.response.as_deref() == Some(response) {
            self.has_sound = true;
            self.unheard.insert(item.to_owned());
        }
    }

    pub(super) fn ended(&mut self) {
        if self.stage == Stage::Wanted {
            self.stage = Stage::Said;
        }
    }

    pub(super) fn was_heard(&mut self, item: &str) {
        self.unheard.remove(item);
    }

    /// Nothing is being played any more.
    pub(super) fn fell_silent(&mut self) {
        if self.stage == Stage::Said {
            self.unheard.clear();
        }
    }

    /// Whether nothing of it has come yet.
    pub(super) fn is_wanted(&self) -> bool {
        self.stage == Stage::Wanted && !self.has_sound
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }
}

impl Session {
    /// Once the greeting was heard, the caller can interrupt, and the model speaks by itself when nobody does.
    pub(super) fn end_greeting(&mut self) {
        let is_heard = self.greeted.stage == Stage::Said && self.greeted.unheard.is_empty();
        if !is_heard || !self.is_open {
            return;
        }
        self.greeted.stage = Stage::Over;
        let [before, after] = [false, true].map(|over| self.config.change(self.config.reflexes(over)));
        // A link that is not ready yet learns it when it is.
        if before != after && self.link.is_ready() {
            let event_id = self.name();
            self.send(ClientEvent::SessionUpdate { event_id, session: after });
        }
    }
}

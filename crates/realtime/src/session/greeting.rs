//! Tracks the greeting, which is said once in a call and may be protected from interruption.

use super::Session;
use crate::{ClientEvent, Greeting, ItemId, ResponseId};
use std::collections::HashSet;

/// The progress of the greeting.
#[derive(Debug, Default)]
pub(super) struct GreetingState {
    stage: Stage,
    /// The id of the greeting's response.
    response: Option<ResponseId>,
    /// The items of the greeting that were not played to their end yet.
    unheard: HashSet<ItemId>,
    has_audio: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Outstanding,
    /// All of the greeting was received.
    Received,
    /// The greeting was played, or never will be.
    Over,
}

impl GreetingState {
    /// Returns the state before the first response.
    pub(super) fn of(greeting: &Greeting) -> Self {
        let stage = match greeting {
            Greeting::Exact(_) | Greeting::Prompt(_) => Stage::Outstanding,
            Greeting::Said => Stage::Over,
        };
        Self { stage, ..Self::default() }
    }

    pub(super) fn response_started(&mut self, response: &ResponseId) {
        self.response = Some(response.clone());
    }

    pub(super) fn audio_received(&mut self, response: &ResponseId, item: &ItemId) {
        if self.stage == Stage::Outstanding && self.response.as_ref() == Some(response) {
            self.has_audio = true;
            self.unheard.insert(item.clone());
        }
    }

    pub(super) fn response_ended(&mut self) {
        if self.stage == Stage::Outstanding {
            self.stage = Stage::Received;
        }
    }

    pub(super) fn item_played(&mut self, item: &ItemId) {
        self.unheard.remove(item);
    }

    /// Records that playback has stopped, which ends a greeting whose last items were never reported as played.
    pub(super) fn playback_stopped(&mut self) {
        if self.stage == Stage::Received {
            self.unheard.clear();
        }
    }

    /// Whether no audio of the greeting was received yet.
    pub(super) fn is_outstanding(&self) -> bool {
        self.stage == Stage::Outstanding && !self.has_audio
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }
}

impl Session {
    /// Enables interruption and the server's idle timer once the greeting was played.
    pub(super) fn end_greeting(&mut self) {
        let is_heard = self.greeting.stage == Stage::Received && self.greeting.unheard.is_empty();
        if !is_heard || !self.is_open {
            return;
        }
        self.greeting.stage = Stage::Over;
        let [before, after] =
            [false, true].map(|over| self.config.turn_detection_update(self.config.turn_taking(over)));
        // A link that is not ready gets this with its configuration.
        if before != after && self.link.is_ready() {
            let event_id = self.new_id();
            self.send(ClientEvent::SessionUpdate { event_id, session: after });
        }
    }
}

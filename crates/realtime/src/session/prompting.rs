//! Prompts a single response by a system message at the end of the conversation.
//!
//! Instructions of its own would replace the session's, which come before the conversation, so nothing of it would be read from the cache:
//! audio then costs eighty times as much.

use super::Session;
use crate::ClientEvent;
use serde_json::json;

impl Session {
    /// Adds a system message that prompts the next response.
    pub(super) fn add_prompt(&mut self, words: &str) {
        let id = self.new_item_id();
        let event_id = self.new_id();
        let content = json!([{"type": "input_text", "text": words}]);
        let item = json!({"id": id, "type": "message", "role": "system", "content": content});
        self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
        self.link.prompt = Some(id);
    }

    /// Settles the prompt of a response that ended.
    ///
    /// A prompt that was followed stays: deleting it would cost the cache of all that follows it. One that was not followed is deleted, so
    /// that no later response follows it.
    pub(super) fn settle_prompt(&mut self, was_followed: bool) {
        if self.link.queue.is_requested() {
            return;
        }
        if was_followed {
            self.link.prompt = None;
        }
        self.remove_prompt();
    }

    /// Deletes the prompt of a response that was requested until now, and was refused or given up.
    pub(super) fn remove_unrequested_prompt(&mut self, was_requested: bool) {
        if was_requested && !self.link.queue.is_requested() {
            self.remove_prompt();
        }
    }

    /// Deletes a prompt that no response will follow.
    pub(super) fn remove_prompt(&mut self) {
        if let Some(prompt) = self.link.prompt.take() {
            self.delete(&prompt);
        }
    }
}

//! Prompts: what one response is told to say, as a system message at the end of the conversation. Instructions of its own would
//! replace the session's, which come before the conversation, so none of it would be read from the cache: sound costs eighty times
//! as much then.

use super::Session;
use crate::ClientEvent;
use serde_json::json;

impl Session {
    /// Tells the next response what to say.
    pub(super) fn prompt(&mut self, words: &str) {
        let id = format!("ahoy_{}", self.name());
        let event_id = self.name();
        let content = json!([{"type": "input_text", "text": words}]);
        let item = json!({"id": id, "type": "message", "role": "system", "content": content});
        self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
        self.link.prompt = Some(id);
    }

    /// A response has ended. A prompt that was followed stays where it is: taking it out would cost the cache of what follows it. One
    /// that was not must not be followed later.
    pub(super) fn settle_prompt(&mut self, was_followed: bool) {
        if self.link.gate.is_asked() {
            return;
        }
        if was_followed {
            self.link.prompt = None;
        }
        self.take_back_prompt();
    }

    /// Takes out the prompt of a response that was asked for until now, and was refused or given up.
    pub(super) fn take_back_unasked_prompt(&mut self, was_asked: bool) {
        if was_asked && !self.link.gate.is_asked() {
            self.take_back_prompt();
        }
    }

    /// Takes out a prompt that no response will follow.
    pub(super) fn take_back_prompt(&mut self) {
        if let Some(prompt) = self.link.prompt.take() {
            self.delete(&prompt);
        }
    }
}

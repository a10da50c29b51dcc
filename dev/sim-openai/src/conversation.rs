//! The items of a conversation, in order, and what each of them weighs.

use crate::refusal::Refusal;
use crate::usage::Tokens;
use serde_json::{Value, json};

/// One item: a message, a function call or its output.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// As the API shows it, without its sound.
    pub json: Value,
    /// How much sound is in it.
    pub audio_ms: u64,
    /// Whether it is a turn in which the caller said nothing.
    pub is_silence: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Conversation {
    items: Vec<Item>,
}

impl Item {
    pub(crate) fn new(json: Value) -> Self {
        Self { json, audio_ms: 0, is_silence: false }
    }

    /// What a caller has just said.
    pub(crate) fn user_speech(id: &str, audio_ms: u64) -> Self {
        let json = json!({
            "id": id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
            "content": [{"type": "input_audio", "transcript": null}],
        });
        Self { json, audio_ms, is_silence: false }
    }

    pub(crate) fn id(&self) -> &str {
        self.json["id"].as_str().unwrap_or_default()
    }

    pub(crate) fn is_from(&self, role: &str) -> bool {
        self.json["role"] == role
    }

    /// The text of a message that was written rather than spoken.
    pub(crate) fn text(&self) -> Option<&str> {
        self.json["content"].as_array()?.iter().find_map(|part| part["text"].as_str())
    }

    pub(crate) fn tokens(&self) -> Tokens {
        if self.is_from("user") && self.audio_ms > 0 {
            // Its transcript is a service for us: the model hears the sound.
            return Tokens::user_audio(self.audio_ms);
        }
        self.words().map(Tokens::text).sum::<Tokens>() + Tokens::assistant_audio(self.audio_ms)
    }

    /// Cuts the sound to `audio_end_ms` and forgets what was said, as it is unknown which words were heard.
    pub(crate) fn truncate(&mut self, audio_end_ms: u64) {
        self.audio_ms = audio_end_ms;
        for part in self.json["content"].as_array_mut().into_iter().flatten() {
            part["transcript"] = Value::Null;
        }
    }

    /// What the model reads of it.
    fn words(&self) -> impl Iterator<Item = &str> {
        let parts = self.json["content"].as_array().into_iter().flatten();
        let said = parts.flat_map(|part| [&part["text"], &part["transcript"]]);
        let called = [&self.json["name"], &self.json["arguments"], &self.json["output"]];
        said.chain(called).filter_map(Value::as_str)
    }
}

impl Conversation {
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.last().map(Item::id)
    }

    pub(crate) fn last(&self) -> Option<&Item> {
        self.items.last()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id() == id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.id() == id)
    }

    pub(crate) fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    /// Puts an item after another one, at the start (`root`), or at the end. Returns the id before it.
    pub(crate) fn insert(&mut self, item: Item, after: Option<&str>) -> Result<Option<String>, Refusal> {
        let place = match after {
            None => self.items.len(),
            Some("root") => 0,
            Some(id) => self.position(id).ok_or_else(|| unknown_place(id))? + 1,
        };
        let before = place.checked_sub(1).map(|before| self.items[before].id().to_owned());
        self.items.insert(place, item);
        Ok(before)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Item> {
        self.position(id).map(|place| self.items.remove(place))
    }

    pub(crate) fn has_call(&self, call_id: &str) -> bool {
        self.items.iter().any(|item| item.json["type"] == "function_call" && item.json["call_id"] == call_id)
    }

    /// The caller's turns and messages.
    pub(crate) fn users(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.is_from("user"))
    }

    /// Whether the model has said something to its end.
    pub(crate) fn has_spoken(&self) -> bool {
        self.items.iter().any(|item| item.is_from("assistant") && item.json["status"] == "completed")
    }

    pub(crate) fn tokens(&self) -> Tokens {
        self.items.iter().map(Item::tokens).sum()
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.items.iter().position(|item| item.id() == id)
    }
}

fn unknown_place(id: &str) -> Refusal {
    Refusal::value("previous_item_id", format!("Previous item '{id}' is not in the conversation."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_put_where_it_is_wanted() {
        let mut conversation = Conversation::default();
        conversation.push(Item::user_speech("a", 900));
        conversation.push(Item::user_speech("c", 900));

        assert_eq!(conversation.insert(Item::user_speech("b", 0), Some("a")), Ok(Some("a".into())));
        assert_eq!(conversation.insert(Item::user_speech("0", 0), Some("root")), Ok(None));
        assert_eq!(conversation.insert(Item::user_speech("d", 0), None), Ok(Some("c".into())));
        assert!(conversation.insert(Item::user_speech("e", 0), Some("x")).is_err());

        let order: Vec<&str> = conversation.items.iter().map(Item::id).collect();
        assert_eq!(order, ["0", "a", "b", "c", "d"]);
    }

    #[test]
    fn a_truncated_message_weighs_what_was_heard() {
        let content = json!([{"type": "output_audio", "transcript": "Hello, this is Mirsk Bikes."}]);
        let mut item = Item::new(json!({"id": "a", "role": "assistant", "content": content}));
        item.audio_ms = 4_000;
        assert_eq!(item.tokens(), Tokens { text: 7, audio: 80 });

        item.truncate(1_000);

        assert_eq!(item.tokens(), Tokens { text: 0, audio: 20 });
    }
}

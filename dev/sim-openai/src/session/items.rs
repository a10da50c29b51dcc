//! Creates, deletes, retrieves and truncates the items of a conversation.

use super::Session;
use super::pending::{FollowUp, OpenCall};
use crate::conversation::Item;
use crate::refusal::Refusal;
use crate::{ObservationKind, Replayed};
use serde_json::{Value, json};

impl Session {
    pub(super) fn create_item(&mut self, event: &Value) -> Result<(), Refusal> {
        let mut json = event["item"].clone();
        self.check_new_item(&json)?;
        if json["id"].is_null() {
            json["id"] = json!(self.new_id("item"));
        }
        if !is_mcp(&json) {
            json["object"] = json!("realtime.item");
            json["status"] = json!("completed");
        }
        let after = event["previous_item_id"].as_str();
        let previous = self.conversation.insert(Item::new(json.clone()), after)?;
        if after.is_some() {
            self.cache.bust();
        }
        self.send(json!({"type": "conversation.item.added", "previous_item_id": previous, "item": json}));
        self.send(json!({"type": "conversation.item.done", "previous_item_id": previous, "item": json}));
        self.note_created(&json);
        Ok(())
    }

    pub(super) fn delete_item(&mut self, id: &Value) -> Result<(), Refusal> {
        let is_last = self.conversation.last_id() == id.as_str();
        let removed = self.conversation.remove(id.as_str().unwrap_or_default());
        removed.ok_or_else(|| no_item("item_delete_invalid_item_id", "deleting", id))?;
        if !is_last {
            self.cache.bust();
        }
        self.send(json!({"type": "conversation.item.deleted", "item_id": id}));
        Ok(())
    }

    /// Retrieved items carry no sound here.
    pub(super) fn retrieve_item(&mut self, id: &Value) -> Result<(), Refusal> {
        let found = self.conversation.get(id.as_str().unwrap_or_default()).map(|item| item.json.clone());
        let item = found.ok_or_else(|| no_item("item_retrieve_invalid_item_id", "retrieving", id))?;
        self.send(json!({"type": "conversation.item.retrieved", "item": item}));
        Ok(())
    }

    pub(super) fn truncate_item(&mut self, event: &Value) -> Result<(), Refusal> {
        let id = event["item_id"].as_str().unwrap_or_default();
        let of_ms = self.sound_to_truncate(event)?;
        let audio_end_ms = audio_end_ms(event, of_ms)?;
        if audio_end_ms == of_ms && !self.is_being_sent(id) {
            self.note_violation(format!(
                "truncate of {id} at its full {of_ms} ms: it only erases the transcript"
            ));
        }
        if let Some(item) = self.conversation.get_mut(id) {
            item.truncate(audio_end_ms);
        }
        if let Some(spoken) = self.report.spoken.iter_mut().find(|spoken| spoken.item_id == id) {
            spoken.truncated_at_ms = Some(audio_end_ms);
        }
        self.cache.bust();
        self.send(json!({
            "type": "conversation.item.truncated", "item_id": id, "content_index": 0, "audio_end_ms": audio_end_ms,
        }));
        self.observe(ObservationKind::Truncated { item: id.to_owned(), audio_end_ms, of_ms });
        Ok(())
    }

    fn check_new_item(&self, item: &Value) -> Result<(), Refusal> {
        let id = item["id"].as_str().unwrap_or_default();
        if self.conversation.get(id).is_some() {
            let message = format!("Error adding item: an item with the ID '{id}' already exists.");
            return Err(Refusal::new("item_create_duplicate_item_id", message).about("item.id"));
        }
        let call_id = item["call_id"].as_str().unwrap_or_default();
        if item["type"] == "function_call_output" && !self.conversation.has_call(call_id) {
            let message = format!("No function call with the call_id '{call_id}' is in the conversation.");
            return Err(Refusal::value("item.call_id", message));
        }
        let mut parts = item["content"].as_array().into_iter().flatten();
        if parts.any(|part| part["type"] == "output_audio") {
            return Err(Refusal::value(
                "item.content",
                "Assistant audio cannot be created; use 'output_text'.",
            ));
        }
        Ok(())
    }

    /// Tells what is news from what an earlier session has said.
    fn note_created(&mut self, item: &Value) {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        match item["type"].as_str().unwrap_or_default() {
            "function_call" => self.replay_call(&text("name"), text("call_id"), &text("arguments")),
            "function_call_output" => self.note_function_output(text("call_id"), text("output")),
            "message" if self.is_fresh || item["role"] == "assistant" => self.replay_message(item),
            _ => {}
        }
    }

    fn note_function_output(&mut self, call_id: String, output: String) {
        if let Some(place) = self.open_calls.iter().position(|call| call.call_id == call_id) {
            self.answered.push(self.open_calls.remove(place).follow_up);
        }
        if self.is_fresh {
            self.replay("function_call_output", output);
        } else {
            self.observe(ObservationKind::FunctionOutput { call_id, output });
        }
    }

    fn replay_call(&mut self, name: &str, call_id: String, arguments: &str) {
        let after = self.config.script.after_call(name, self.turns());
        let follow_up = after.map(|reply| FollowUp { rank: 0, reply: reply.clone() });
        self.open_calls.push(OpenCall { call_id, follow_up });
        self.replay("function_call", format!("{name}({arguments})"));
    }

    /// The caller has spoken: tool outputs before that are not spoken of again.
    fn replay_message(&mut self, item: &Value) {
        let parts = item["content"].as_array().into_iter().flatten();
        let text: String =
            parts.flat_map(|part| [&part["text"], &part["transcript"]]).filter_map(Value::as_str).collect();
        let role = item["role"].as_str().unwrap_or_default();
        if role != "system" {
            self.has_replayed = true;
            self.answered.clear();
        }
        self.replay(role, text);
    }

    fn replay(&mut self, role: &str, text: String) {
        self.report.replayed.push(Replayed { role: role.to_owned(), text });
    }

    /// How much sound the item to truncate has; refused when it is none of the model's speech.
    fn sound_to_truncate(&self, event: &Value) -> Result<u64, Refusal> {
        let id = &event["item_id"];
        let item = self.conversation.get(id.as_str().unwrap_or_default());
        let item = item.ok_or_else(|| no_item("item_truncate_invalid_item_id", "truncating", id))?;
        if !item.is_from("assistant") || item.audio_ms == 0 {
            return Err(Refusal::value("item_id", "Only model output audio messages can be truncated."));
        }
        if event["content_index"] != 0 {
            return Err(Refusal::value("content_index", "The only content part is 0."));
        }
        Ok(item.audio_ms)
    }

    fn is_being_sent(&self, id: &str) -> bool {
        self.responses.iter().filter_map(|response| response.open_item()).any(|item| item.id == id)
    }
}

fn audio_end_ms(event: &Value, of_ms: u64) -> Result<u64, Refusal> {
    let Some(end) = event["audio_end_ms"].as_u64() else {
        return Err(Refusal::value("audio_end_ms", "Invalid 'audio_end_ms': it is below 0."));
    };
    if end > of_ms {
        return Err(Refusal::without_code(format!(
            "Audio content of {of_ms}ms is already shorter than {end}ms"
        )));
    }
    Ok(end)
}

/// Items of remote tools have neither `object` nor `status`.
fn is_mcp(item: &Value) -> bool {
    item["type"].as_str().is_some_and(|kind| kind.starts_with("mcp_"))
}

fn no_item(code: &'static str, doing: &str, id: &Value) -> Refusal {
    let message = format!("Error {doing} item: the item with id {id} does not exist.");
    Refusal::new(code, message).about("item_id")
}

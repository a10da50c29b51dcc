//! Handles the agent's function calls: reports each once, sends its output, and requests one answer for each response's batch.

use super::hosted_tools::HostedTools;
use super::{Session, SessionEvent};
use crate::response_queue::ResponseRequest;
use crate::server_event::Item;
use crate::{ItemId, ResponseId, ToolCallId};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

/// The tool calls of a conversation.
#[derive(Debug, Default)]
pub(super) struct Tools {
    known: HashSet<ToolCallId>,
    /// The batches of calls, by response id.
    batches: HashMap<ResponseId, Batch>,
    /// The hosted MCP calls that have not ended, by item id.
    pub(super) hosted: HashMap<ItemId, HostedTools>,
}

/// The tool calls of one response, which are answered together.
#[derive(Debug, Default)]
struct Batch {
    open: HashSet<ToolCallId>,
    /// The number of calls, with and without an output.
    count: usize,
    speak: bool,
    /// Whether the response is over, so that no more calls are added.
    is_complete: bool,
}

impl Tools {
    /// Whether any call has no output yet.
    pub(super) fn are_open(&self) -> bool {
        self.batches.values().any(|batch| !batch.open.is_empty())
    }

    /// Whether a response has a batch of calls that was not answered yet.
    pub(super) fn were_called_by(&self, response: &ResponseId) -> bool {
        self.batches.contains_key(response)
    }

    /// Adds a call to its response's batch, and returns whether it is new.
    fn open(&mut self, response: &ResponseId, call_id: &ToolCallId) -> bool {
        let is_new = self.known.insert(call_id.clone());
        if is_new {
            let batch = self.batches.entry(response.clone()).or_default();
            batch.open.insert(call_id.clone());
            batch.count += 1;
        }
        is_new
    }

    /// Whether a response is over and its batch was not answered yet.
    pub(super) fn is_over(&self, response: &ResponseId) -> bool {
        self.batches.get(response).is_some_and(|batch| batch.is_complete)
    }

    /// Removes a call that will never be made from its batch.
    pub(super) fn forget(&mut self, call_id: &ToolCallId) {
        for batch in self.batches.values_mut().filter(|batch| batch.open.contains(call_id)) {
            batch.open.remove(call_id);
            batch.count -= 1;
        }
        self.batches.retain(|_, batch| batch.count > 0);
    }

    /// Records the output of a call, and returns whether the call was open.
    pub(super) fn close(&mut self, call_id: &ToolCallId, speak: bool) -> bool {
        let Some(batch) = self.batches.values_mut().find(|batch| batch.open.contains(call_id)) else {
            return false;
        };
        batch.open.remove(call_id);
        batch.speak |= speak;
        true
    }

    /// Marks a response's batch as complete, or every batch for `None`.
    fn end(&mut self, response: Option<&ResponseId>) {
        let ended = self.batches.iter_mut().filter(|(id, _)| response.is_none_or(|wanted| wanted == *id));
        ended.for_each(|(_, batch)| batch.is_complete = true);
    }

    /// Removes the batches whose calls all have outputs, and returns whether any of them asks for an answer.
    fn finish(&mut self) -> bool {
        let done = self.batches.extract_if(|_, batch| batch.is_complete && batch.open.is_empty());
        done.fold(false, |speak, (_, batch)| speak | batch.speak)
    }
}

impl Session {
    /// Sends the output of a tool call.
    ///
    /// With `speak`, the agent answers after the last output of the response's batch.
    pub fn answer_tool(&mut self, call_id: &ToolCallId, output: &str, speak: bool, now: Instant) {
        if !self.tools.close(call_id, speak) {
            return;
        }
        self.history.add_tool_output(call_id, output);
        let item = json!({"type": "function_call_output", "call_id": call_id, "output": output});
        self.add_item(item, Some(call_id), now);
        self.finish_batches();
        self.advance(now);
    }

    /// Adds a call to its response's batch, which is complete if that response is over, and returns whether the call is new.
    pub(super) fn register_call(&mut self, response: &ResponseId, call_id: &ToolCallId) -> bool {
        let is_new = self.tools.open(response, call_id);
        if is_new && self.link.queue.ongoing().is_none_or(|(ongoing, _)| ongoing != response) {
            self.tools.end(Some(response));
        }
        is_new
    }

    /// Reports a function call once its item is complete.
    pub(super) fn call_tool(&mut self, response: &ResponseId, item: &Item) {
        let (Some(call_id), Some(name)) = (&item.call_id, &item.name) else { return };
        if item.r#type != "function_call" || !item.is_complete() || !self.register_call(response, call_id) {
            return;
        }
        let arguments = item.arguments.clone().unwrap_or_default();
        self.history.add_tool_call(call_id, name, &arguments);
        self.emit(SessionEvent::ToolCalled { call_id: call_id.clone(), name: name.clone(), arguments });
    }

    /// Completes the batch of a response, or every batch for `None`, and answers those without open calls.
    pub(super) fn end_batches(&mut self, response: Option<&ResponseId>) {
        self.tools.end(response);
        self.finish_batches();
    }

    pub(super) fn finish_batches(&mut self) {
        if self.tools.finish() {
            self.link.queue.request(ResponseRequest::Answer);
        }
    }
}

//! Tools the agent calls: each call is told once, each output is sent, and the agent is asked to go on once for each batch.

use super::hosted_tools::HostedTools;
use super::{Session, SessionEvent};
use crate::response_queue::ResponseRequest;
use crate::server_event::Item;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

/// The calls of a conversation.
#[derive(Debug, Default)]
pub(super) struct Tools {
    known: HashSet<String>,
    /// By response.
    batches: HashMap<String, Batch>,
    /// Calls that the service makes itself, by item.
    pub(super) hosted: HashMap<String, HostedTools>,
}

/// The calls of one response.
#[derive(Debug, Default)]
struct Batch {
    open: HashSet<String>,
    /// Whether answered or not.
    count: usize,
    speak: bool,
    /// The response is over: no more calls will come.
    is_whole: bool,
}

impl Tools {
    /// Whether any call waits for its output.
    pub(super) fn are_open(&self) -> bool {
        self.batches.values().any(|batch| !batch.open.is_empty())
    }

    /// Whether a response that is not over has called any.
    pub(super) fn were_called_by(&self, response: &str) -> bool {
        self.batches.contains_key(response)
    }

    /// Puts a call into the batch of its response. Whether it is a new one.
    fn open(&mut self, response: &str, call_id: &str) -> bool {
        let is_new = self.known.insert(call_id.to_owned());
        if is_new {
            let batch = self.batches.entry(response.to_owned()).or_default();
            batch.open.insert(call_id.to_owned());
            batch.count += 1;
        }
        is_new
    }

    /// Whether a response gets no more calls, and waits for some.
    pub(super) fn is_over(&self, response: &str) -> bool {
        self.batches.get(response).is_some_and(|batch| batch.is_whole)
    }

    /// A call will not be made: as if there were none.
    pub(super) fn forget(&mut self, call_id: &str) {
        for batch in self.batches.values_mut().filter(|batch| batch.open.contains(call_id)) {
            batch.open.remove(call_id);
            batch.count -= 1;
        }
        self.batches.retain(|_, batch| batch.count > 0);
    }

    /// Takes a call out of its batch. Whether it was waited for.
    pub(super) fn close(&mut self, call_id: &str, speak: bool) -> bool {
        let Some(batch) = self.batches.values_mut().find(|batch| batch.open.contains(call_id)) else {
            return false;
        };
        batch.open.remove(call_id);
        batch.speak |= speak;
        true
    }

    /// A response is over; `None`: all are.
    fn end(&mut self, response: Option<&str>) {
        let ended =
            self.batches.iter_mut().filter(|(id, _)| response.is_none_or(|wanted| wanted == id.as_str()));
        ended.for_each(|(_, batch)| batch.is_whole = true);
    }

    /// Drops the batches that are done. Whether the agent is to go on.
    fn finish(&mut self) -> bool {
        let done = self.batches.extract_if(|_, batch| batch.is_whole && batch.open.is_empty());
        done.fold(false, |speak, (_, batch)| speak | batch.speak)
    }
}

impl Session {
    /// The output of a tool. `speak`: the agent goes on with it, after the last output of its batch.
    pub fn answer_tool(&mut self, call_id: &str, output: &str, speak: bool, now: Instant) {
        if !self.tools.close(call_id, speak) {
            return;
        }
        self.mirror.answered(call_id, output);
        if self.link.is_ready() {
            let item = json!({"type": "function_call_output", "call_id": call_id, "output": output});
            self.put(item, Some(call_id), now);
        }
        self.finish_batches();
        self.go_on(now);
    }

    /// Puts a call into the batch of its response, which gets no more if that is over by now. Whether it is a new one.
    pub(super) fn open_call(&mut self, response: &str, call_id: &str) -> bool {
        let is_new = self.tools.open(response, call_id);
        if is_new && self.link.gate.ongoing().is_none_or(|(ongoing, _)| ongoing != response) {
            self.tools.end(Some(response));
        }
        is_new
    }

    /// An item of a response is whole: if it is a call, the tool is called.
    pub(super) fn call(&mut self, response: &str, item: &Item) {
        let (Some(call_id), Some(name)) = (&item.call_id, &item.name) else { return };
        if item.r#type != "function_call" || !item.is_whole() || !self.open_call(response, call_id) {
            return;
        }
        let arguments = item.arguments.clone().unwrap_or_default();
        self.mirror.called(call_id, name, &arguments);
        self.happen(SessionEvent::ToolCalled { call_id: call_id.clone(), name: name.clone(), arguments });
    }

    /// A response is over; `None`: all are. Its batch gets no more calls.
    pub(super) fn end_batches(&mut self, response: Option<&str>) {
        self.tools.end(response);
        self.finish_batches();
    }

    pub(super) fn finish_batches(&mut self) {
        if self.tools.finish() {
            self.link.gate.wish(ResponseRequest::Answer);
        }
    }
}

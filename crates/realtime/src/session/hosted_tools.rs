//! Tracks hosted MCP tools: calls that the service makes itself to remote MCP servers.
//!
//! A call belongs to its response's batch: the answer is requested once the response is over and each call has ended. The agent learns
//! which servers cannot list their tools, because it would make up results otherwise.

use super::{HostedOutcome, Session, SessionEvent};
use crate::history::HostedAnswer;
use crate::server_event::Item;
use crate::{ItemId, LinkId, ResponseId, ServerEvent};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a call may take after its response is over before it times out.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// A hosted MCP call that has not ended.
#[derive(Debug)]
pub(super) struct HostedTools {
    response: ResponseId,
    tool: String,
    since: Instant,
    /// Whether the service has started the call; one whose arguments were cut off never starts.
    is_started: bool,
}

impl Session {
    /// Records a call item of a response, or of the conversation for `None`.
    pub(super) fn note_hosted(&mut self, response: Option<&ResponseId>, item: &Item, now: Instant) {
        let (Some(id), "mcp_call") = (&item.id, item.r#type.as_str()) else { return };
        let (server, name) = (item.server_label.as_deref(), item.name.as_deref());
        let tool = [server, name].into_iter().flatten().collect::<Vec<_>>().join(".");
        match response {
            Some(response) => self.register_hosted_of(response, id, &tool, now),
            None => self.register_hosted(id, &tool, now),
        }
        let Some(recorded) = self.history.hosted_call(id) else { return };
        if !tool.is_empty() {
            recorded.tool = tool;
        }
        if let Some(arguments) = item.arguments.as_ref().filter(|arguments| !arguments.is_empty()) {
            recorded.arguments.clone_from(&arguments.0);
        }
        if !item.error.is_null() {
            recorded.answer = HostedAnswer::Failed(text_of(&item.error));
        } else if !item.output.is_null() {
            recorded.answer = HostedAnswer::Answered(text_of(&item.output));
        }
    }

    /// Records that the service started a call.
    pub(super) fn begin_hosted(&mut self, id: &ItemId, now: Instant) {
        self.link.queue.note_hosted_tool(true, now);
        self.register_hosted(id, "", now);
        self.mark_started(id, now);
    }

    /// Records that a call ended.
    pub(super) fn end_hosted(&mut self, id: &ItemId, outcome: HostedOutcome, now: Instant) {
        self.link.queue.note_hosted_tool(false, now);
        self.register_hosted(id, "", now);
        self.close_hosted(id, outcome, now);
        self.finish_batches();
    }

    /// Settles the calls of a response that is over: in an incomplete one, calls that were not started never will be.
    pub(super) fn settle_hosted(&mut self, response: &ResponseId, is_complete: bool, now: Instant) {
        for id in self.hosted_of(Some(response)) {
            if is_complete {
                self.mark_started(&id, now);
            } else {
                self.forget_unstarted(&id);
            }
        }
    }

    /// Drops the calls that a lost link had not started.
    pub(super) fn forget_unstarted_hosted(&mut self) {
        self.hosted_of(None).iter().for_each(|id| self.forget_unstarted(id));
    }

    /// Times out the started calls of a lost link: their outcome will never be known.
    pub(super) fn time_out_hosted(&mut self, now: Instant) {
        for id in self.hosted_of(None) {
            self.close_hosted(&id, HostedOutcome::TimedOut, now);
        }
    }

    /// When the next call times out.
    pub(super) fn hosted_due(&self) -> Option<Instant> {
        let waiting = self.tools.hosted.values().filter(|hosted| self.tools.is_over(&hosted.response));
        waiting.map(|hosted| hosted.since + ANSWERS_WITHIN).min()
    }

    /// Times out calls that take too long after their response.
    pub(super) fn expire_hosted(&mut self, now: Instant) {
        while self.hosted_due().is_some_and(|due| due <= now) {
            let late = self.tools.hosted.iter().filter(|(_, hosted)| {
                hosted.since + ANSWERS_WITHIN <= now && self.tools.is_over(&hosted.response)
            });
            for id in late.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                self.close_hosted(&id, HostedOutcome::TimedOut, now);
            }
            self.finish_batches();
        }
    }

    /// Records how the tool listings of a link's MCP servers went.
    pub(super) fn note_listing(&mut self, link: LinkId, event: &ServerEvent) {
        let links = [Some(&mut self.link), self.next.as_mut()].into_iter().flatten();
        let Some(link) = links.into_iter().find(|known| known.id == link) else { return };
        match event {
            ServerEvent::ItemAdded { item } if item.r#type == "mcp_list_tools" => {
                if let (Some(id), Some(label)) = (&item.id, &item.server_label) {
                    link.tool_lists.labels.insert(id.clone(), label.clone());
                }
            }
            ServerEvent::McpToolsListed { item_id } => {
                link.tool_lists.settle(item_id);
            }
            ServerEvent::McpToolListingFailed { item_id } => {
                let servers = self.config.tools.iter().filter_map(|tool| tool["server_label"].as_str());
                link.tool_lists.fail(item_id, &servers.map(str::to_owned).collect::<Vec<_>>());
            }
            _ => {}
        }
    }

    /// Tells the agent which MCP servers are unavailable, in a system message.
    pub(super) fn report_missing_tools(&mut self, now: Instant) {
        if !self.link.is_ready() {
            return;
        }
        for server in std::mem::take(&mut self.link.tool_lists.unreported) {
            let text = format!(
                "The tools of \"{server}\" cannot be used in this call: their server does not answer. If the caller needs \
                 them, say so plainly, and make up no result."
            );
            let content = json!([{"type": "input_text", "text": text}]);
            self.create_item(json!({"type": "message", "role": "system", "content": content}), None, now);
            if self.missing_tools.insert(server.clone()) {
                self.emit(SessionEvent::ToolsMissing { server });
            }
        }
    }

    fn register_hosted_of(&mut self, response: &ResponseId, id: &ItemId, tool: &str, now: Instant) {
        if self.register_call(response, &id.into()) {
            let tool = if tool.is_empty() { "mcp" } else { tool }.to_owned();
            self.history.add_hosted_call(id, &tool);
            let response = response.clone();
            let hosted = HostedTools { response, tool, since: now, is_started: false };
            self.tools.hosted.insert(id.clone(), hosted);
        }
    }

    /// Registers a call whose event names no response with the response in progress; without one, the call is a batch of its own.
    fn register_hosted(&mut self, id: &ItemId, tool: &str, now: Instant) {
        let ongoing = self.link.queue.ongoing().map(|(response, _)| response.clone());
        let response = ongoing.unwrap_or_else(|| id.as_str().into());
        self.register_hosted_of(&response, id, tool, now);
    }

    fn mark_started(&mut self, id: &ItemId, now: Instant) {
        let Some(hosted) = self.tools.hosted.get_mut(id).filter(|hosted| !hosted.is_started) else { return };
        (hosted.is_started, hosted.since) = (true, now);
        self.emit(SessionEvent::HostedToolCalled);
    }

    fn close_hosted(&mut self, id: &ItemId, outcome: HostedOutcome, now: Instant) {
        let Some(hosted) = self.tools.hosted.remove(id) else { return };
        self.tools.close(&id.into(), true);
        if !hosted.is_started {
            self.emit(SessionEvent::HostedToolCalled);
        }
        if let Some(recorded) =
            self.history.hosted_call(id).filter(|recorded| recorded.answer == HostedAnswer::NotYet)
        {
            recorded.answer = match outcome {
                HostedOutcome::Done => HostedAnswer::Answered(String::new()),
                HostedOutcome::Failed => HostedAnswer::Failed(String::new()),
                HostedOutcome::TimedOut => HostedAnswer::Unknown,
            };
        }
        self.emit(SessionEvent::HostedToolEnded { tool: hosted.tool, took: now - hosted.since, outcome });
    }

    fn forget_unstarted(&mut self, id: &ItemId) {
        if self.tools.hosted.get(id).is_some_and(|hosted| !hosted.is_started) {
            self.tools.hosted.remove(id);
            self.tools.forget(&id.into());
            self.history.remove(id);
        }
    }

    fn hosted_of(&self, response: Option<&ResponseId>) -> Vec<ItemId> {
        let hosted = self.tools.hosted.iter();
        let hosted = hosted.filter(|(_, hosted)| response.is_none_or(|id| *id == hosted.response));
        hosted.map(|(id, _)| id.clone()).collect()
    }
}

/// Returns a string as it is and any other value as JSON.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

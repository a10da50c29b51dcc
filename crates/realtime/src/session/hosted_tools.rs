//! Hosted MCP: the service itself calls the tools of remote servers. A call belongs to the batch of its response, so that
//! the agent is asked to go on once the response is over and each call has answered. A server whose tools cannot be listed
//! is told to the agent, which would make results up otherwise.

use super::{Session, SessionEvent};
use crate::history::HostedAnswer;
use crate::server_event::Item;
use crate::{LinkId, ServerEvent};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// How long a call may take after its response is over. Then it is given up.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// A call that has not answered.
#[derive(Debug)]
pub(super) struct HostedTools {
    response: String,
    tool: String,
    since: Instant,
    /// The service makes the call. One whose arguments were cut is never made.
    is_begun: bool,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostedOutcome {
    /// It answered.
    Done,
    /// It failed.
    Failed,
    /// It is not known: it took too long, or its session was lost.
    TimedOut,
}

impl HostedOutcome {
    /// As a word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// The servers of a link, as far as their tools were listed.
#[derive(Debug, Default)]
pub(crate) struct ToolLists {
    /// The servers' labels, by item.
    labels: HashMap<String, String>,
    settled: HashSet<String>,
    /// Those that failed and that the agent does not know to be missing.
    untold: Vec<String>,
}

impl ToolLists {
    fn settle(&mut self, item: &str) -> Option<&String> {
        let label = self.labels.get(item)?;
        self.settled.insert(label.clone());
        Some(label)
    }

    /// The tools of a server cannot be listed. Which one's, may have to be found among those whose tools were not listed yet.
    fn fail(&mut self, item: &str, servers: &[String]) {
        let server = self.settle(item).cloned().unwrap_or_else(|| {
            let open = servers.iter().filter(|server| !self.settled.contains(*server));
            open.map(String::as_str).collect::<Vec<_>>().join(", ")
        });
        self.settled.insert(server.clone());
        self.untold.push(server);
    }
}

impl Session {
    /// A call is, or is updated, in a response; `None`: in the conversation.
    pub(super) fn note_hosted(&mut self, response: Option<&str>, item: &Item, now: Instant) {
        let (Some(id), "mcp_call") = (&item.id, item.r#type.as_str()) else { return };
        let (server, name) = (item.server_label.as_deref(), item.name.as_deref());
        let tool = [server, name].into_iter().flatten().collect::<Vec<_>>().join(".");
        match response {
            Some(response) => self.open_hosted(response, id, &tool, now),
            None => self.know_hosted(id, &tool, now),
        }
        let Some(mirrored) = self.mirror.hosted(id) else { return };
        if !tool.is_empty() {
            mirrored.tool = tool;
        }
        if let Some(arguments) = item.arguments.as_ref().filter(|arguments| !arguments.is_empty()) {
            mirrored.arguments.clone_from(&arguments.0);
        }
        if !item.error.is_null() {
            mirrored.came = HostedAnswer::Failed(words(&item.error));
        } else if !item.output.is_null() {
            mirrored.came = HostedAnswer::Answered(words(&item.output));
        }
    }

    /// The service makes a call.
    pub(super) fn begin_hosted(&mut self, id: &str, now: Instant) {
        self.link.gate.tool(true, now);
        self.know_hosted(id, "", now);
        self.mark_begun(id, now);
    }

    /// A call has answered, or failed.
    pub(super) fn end_hosted(&mut self, id: &str, outcome: HostedOutcome, now: Instant) {
        self.link.gate.tool(false, now);
        self.know_hosted(id, "", now);
        self.close_hosted(id, outcome, now);
        self.finish_batches();
    }

    /// A response is over. Of one that is not whole, calls that were not begun never will be.
    pub(super) fn settle_hosted(&mut self, response: &str, is_whole: bool, now: Instant) {
        for id in self.hosted_of(Some(response)) {
            if is_whole {
                self.mark_begun(&id, now);
            } else {
                self.forget_unbegun(&id);
            }
        }
    }

    /// Their link is lost: nothing comes of calls that were not begun.
    pub(super) fn forget_unbegun_hosted(&mut self) {
        self.hosted_of(None).iter().for_each(|id| self.forget_unbegun(id));
    }

    /// Their link is lost: what came of the others will never be known.
    pub(super) fn lose_hosted(&mut self, now: Instant) {
        for id in self.hosted_of(None) {
            self.close_hosted(&id, HostedOutcome::TimedOut, now);
        }
    }

    /// When [`Session::expire_hosted`] has something to do.
    pub(super) fn hosted_due(&self) -> Option<Instant> {
        let waiting = self.tools.hosted.values().filter(|hosted| self.tools.is_over(&hosted.response));
        waiting.map(|hosted| hosted.since + ANSWERS_WITHIN).min()
    }

    /// Gives calls up that take too long.
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

    /// Notes what a link says of the tools of its servers.
    pub(super) fn note_listing(&mut self, link: LinkId, event: &ServerEvent) {
        let links = [Some(&mut self.link), self.next.as_mut()].into_iter().flatten();
        let Some(link) = links.into_iter().find(|known| known.id == link) else { return };
        match event {
            ServerEvent::ItemAdded { item } if item.r#type == "mcp_list_tools" => {
                if let (Some(id), Some(label)) = (&item.id, &item.server_label) {
                    link.lists.labels.insert(id.clone(), label.clone());
                }
            }
            ServerEvent::McpListed { item_id } => {
                link.lists.settle(item_id);
            }
            ServerEvent::McpUnlisted { item_id } => {
                let servers = self.config.tools.iter().filter_map(|tool| tool["server_label"].as_str());
                link.lists.fail(item_id, &servers.map(str::to_owned).collect::<Vec<_>>());
            }
            _ => {}
        }
    }

    /// Tells the agent which tools it does not have.
    pub(super) fn tell_missing_tools(&mut self, now: Instant) {
        if !self.link.is_ready() {
            return;
        }
        for server in std::mem::take(&mut self.link.lists.untold) {
            let text = format!(
                "The tools of \"{server}\" cannot be used in this call: their server does not answer. If the caller needs \
                 them, say so plainly, and make up no result."
            );
            let content = json!([{"type": "input_text", "text": text}]);
            self.put(json!({"type": "message", "role": "system", "content": content}), None, now);
            if self.missing_tools.insert(server.clone()) {
                self.happen(SessionEvent::ToolsMissing { server });
            }
        }
    }

    fn open_hosted(&mut self, response: &str, id: &str, tool: &str, now: Instant) {
        if self.open_call(response, id) {
            let tool = if tool.is_empty() { "mcp" } else { tool }.to_owned();
            self.mirror.call_hosted(id, &tool);
            let response = response.to_owned();
            let hosted = HostedTools { response, tool, since: now, is_begun: false };
            self.tools.hosted.insert(id.to_owned(), hosted);
        }
    }

    /// What names no response is of the one that is under way; without one, it is a batch of its own.
    fn know_hosted(&mut self, id: &str, tool: &str, now: Instant) {
        let response = self.link.gate.ongoing().map_or(id, |(response, _)| response).to_owned();
        self.open_hosted(&response, id, tool, now);
    }

    fn mark_begun(&mut self, id: &str, now: Instant) {
        let Some(hosted) = self.tools.hosted.get_mut(id).filter(|hosted| !hosted.is_begun) else { return };
        (hosted.is_begun, hosted.since) = (true, now);
        self.happen(SessionEvent::HostedCalled);
    }

    fn close_hosted(&mut self, id: &str, outcome: HostedOutcome, now: Instant) {
        let Some(hosted) = self.tools.hosted.remove(id) else { return };
        self.tools.close(id, true);
        if !hosted.is_begun {
            self.happen(SessionEvent::HostedCalled);
        }
        if let Some(mirrored) =
            self.mirror.hosted(id).filter(|mirrored| mirrored.came == HostedAnswer::NotYet)
        {
            mirrored.came = match outcome {
                HostedOutcome::Done => HostedAnswer::Answered(String::new()),
                HostedOutcome::Failed => HostedAnswer::Failed(String::new()),
                HostedOutcome::TimedOut => HostedAnswer::Unknown,
            };
        }
        self.happen(SessionEvent::HostedEnded { tool: hosted.tool, took: now - hosted.since, outcome });
    }

    fn forget_unbegun(&mut self, id: &str) {
        if self.tools.hosted.get(id).is_some_and(|hosted| !hosted.is_begun) {
            self.tools.hosted.remove(id);
            self.tools.forget(id);
            self.mirror.forget(id);
        }
    }

    fn hosted_of(&self, response: Option<&str>) -> Vec<String> {
        let hosted = self.tools.hosted.iter();
        let hosted = hosted.filter(|(_, hosted)| response.is_none_or(|id| id == hosted.response));
        hosted.map(|(id, _)| id.clone()).collect()
    }
}

/// Text as it is, anything else as JSON.
fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

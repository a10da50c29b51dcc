//! Ids of one link among those of the others: a server may count anew on each connection. The conversation knows what
//! comes from a later link by the link's number and its id; the server is told its own id.

use crate::server_event::{Item, Response};
use crate::{ClientEvent, LinkId, ServerEvent};
use serde_json::json;

/// The first link's ids are known as they are.
const FIRST: u64 = 1;

impl LinkId {
    /// The server's id, as its server knows it. What another link's server named keeps its longer name.
    pub(super) fn outward(self, id: &str) -> &str {
        let of_ours = id.strip_prefix(&format!("{}.", self.0)).filter(|_| self.0 > FIRST);
        of_ours.unwrap_or(id)
    }

    /// What the server says, with ids as the conversation knows them. That an item is in the conversation is about items of
    /// ours, except those of hosted MCP.
    pub(super) fn inward(self, mut event: ServerEvent) -> ServerEvent {
        match &mut event {
            ServerEvent::SpeechStarted { item_id }
            | ServerEvent::SpeechStopped { item_id }
            | ServerEvent::SilenceTaken { item_id }
            | ServerEvent::Committed { item_id }
            | ServerEvent::TranscriptionFailed { item_id, .. }
            | ServerEvent::Transcribed { item_id, .. }
            | ServerEvent::McpStarted { item_id }
            | ServerEvent::McpCompleted { item_id }
            | ServerEvent::McpFailed { item_id }
            | ServerEvent::McpListed { item_id }
            | ServerEvent::McpUnlisted { item_id } => self.name(item_id),
            ServerEvent::ItemAdded { item } if item.is_hosted() => self.name_item(item),
            ServerEvent::ResponseCreated { response } | ServerEvent::ResponseDone { response } => {
                self.name_response(response);
            }
            ServerEvent::OutputItemAdded { response_id, item }
            | ServerEvent::OutputItemDone { response_id, item } => {
                self.name(response_id);
                self.name_item(item);
            }
            ServerEvent::AudioDelta { response_id, item_id, .. }
            | ServerEvent::AudioDone { response_id, item_id }
            | ServerEvent::WordsDelta { response_id, item_id, .. }
            | ServerEvent::WordsDone { response_id, item_id, .. } => {
                self.name(response_id);
                self.name(item_id);
            }
            ServerEvent::Other { response_id } => response_id.iter_mut().for_each(|id| self.name(id)),
            ServerEvent::SessionCreated { .. }
            | ServerEvent::SessionUpdated { .. }
            | ServerEvent::ItemAdded { .. }
            | ServerEvent::RateLimits { .. }
            | ServerEvent::Error { .. } => {}
        }
        event
    }

    /// What is said to the server, with its own ids.
    pub(super) fn told(self, mut event: ClientEvent) -> ClientEvent {
        match &mut event {
            ClientEvent::ItemDelete { item_id: id, .. }
            | ClientEvent::Truncate { item_id: id, .. }
            | ClientEvent::Cancel { response_id: id, .. } => *id = self.outward(id).to_owned(),
            ClientEvent::ItemCreate { item, .. } => {
                if let Some(call_id) = item.0.get_mut("call_id") {
                    *call_id = json!(call_id.as_str().map(|id| self.outward(id)));
                }
            }
            ClientEvent::SessionUpdate { .. }
            | ClientEvent::Append { .. }
            | ClientEvent::Commit { .. }
            | ClientEvent::ResponseCreate { .. } => {}
        }
        event
    }

    fn name(self, id: &mut String) {
        if self.0 > FIRST && !id.is_empty() {
            *id = format!("{}.{id}", self.0);
        }
    }

    fn name_response(self, response: &mut Response) {
        self.name(&mut response.id);
        response.output.iter_mut().flatten().for_each(|item| self.name_item(item));
    }

    fn name_item(self, item: &mut Item) {
        item.id.iter_mut().chain(&mut item.call_id).for_each(|id| self.name(id));
    }
}

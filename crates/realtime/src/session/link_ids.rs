//! Keeps the ids of different links apart: a server may reuse ids on each connection.
//!
//! The conversation prefixes the ids of a later link with the link's number; the server receives its own.

use crate::server_event::{Item, Response};
use crate::{ClientEvent, LinkId, ServerEvent};
use serde_json::json;
use std::fmt;

/// The number of the first link, whose ids get no prefix.
const FIRST: u64 = 1;

impl LinkId {
    /// Returns the id as this link's server knows it; the id of another link keeps its prefix.
    pub(super) fn server_id(self, id: &str) -> &str {
        let of_ours = id.strip_prefix(&format!("{}.", self.0)).filter(|_| self.0 > FIRST);
        of_ours.unwrap_or(id)
    }

    /// Qualifies the ids of a server event with the link's number.
    ///
    /// `conversation.item.added` echoes ids of ours, except for hosted MCP items.
    pub(super) fn with_own_ids(self, mut event: ServerEvent) -> ServerEvent {
        match &mut event {
            ServerEvent::SpeechStarted { item_id }
            | ServerEvent::SpeechStopped { item_id }
            | ServerEvent::IdleTimeout { item_id }
            | ServerEvent::Committed { item_id }
            | ServerEvent::TranscriptionFailed { item_id, .. }
            | ServerEvent::TranscriptionCompleted { item_id, .. }
            | ServerEvent::McpStarted { item_id }
            | ServerEvent::McpCompleted { item_id }
            | ServerEvent::McpFailed { item_id }
            | ServerEvent::McpToolsListed { item_id }
            | ServerEvent::McpToolListingFailed { item_id } => self.qualify(item_id),
            ServerEvent::ItemAdded { item } if item.is_hosted() => self.qualify_item(item),
            ServerEvent::ResponseCreated { response } | ServerEvent::ResponseDone { response } => {
                self.qualify_response(response);
            }
            ServerEvent::OutputItemAdded { response_id, item }
            | ServerEvent::OutputItemDone { response_id, item } => {
                self.qualify(response_id);
                self.qualify_item(item);
            }
            ServerEvent::AudioDelta { response_id, item_id, .. }
            | ServerEvent::AudioDone { response_id, item_id }
            | ServerEvent::TranscriptDelta { response_id, item_id, .. }
            | ServerEvent::TranscriptDone { response_id, item_id, .. } => {
                self.qualify(response_id);
                self.qualify(item_id);
            }
            ServerEvent::PlaybackStarted { response_id }
            | ServerEvent::PlaybackStopped { response_id }
            | ServerEvent::PlaybackCleared { response_id } => self.qualify(response_id),
            ServerEvent::ItemTruncated { item_id, .. } => self.qualify(item_id),
            ServerEvent::Other { response_id } => response_id.iter_mut().for_each(|id| self.qualify(id)),
            ServerEvent::SessionCreated { .. }
            | ServerEvent::SessionUpdated { .. }
            | ServerEvent::ItemAdded { .. }
            | ServerEvent::KeyPressed { .. }
            | ServerEvent::RateLimits { .. }
            | ServerEvent::Error { .. } => {}
        }
        event
    }

    /// Replaces the ids of a client event by the server's own.
    pub(super) fn to_server(self, mut event: ClientEvent) -> ClientEvent {
        match &mut event {
            ClientEvent::ItemDelete { item_id, .. } | ClientEvent::Truncate { item_id, .. } => {
                *item_id = self.server_id(item_id.as_str()).into();
            }
            ClientEvent::Cancel { response_id, .. } => {
                *response_id = self.server_id(response_id.as_str()).into();
            }
            ClientEvent::ItemCreate { item, .. } => {
                if let Some(call_id) = item.0.get_mut("call_id") {
                    *call_id = json!(call_id.as_str().map(|id| self.server_id(id)));
                }
            }
            ClientEvent::SessionUpdate { .. }
            | ClientEvent::Append { .. }
            | ClientEvent::Commit { .. }
            | ClientEvent::ClearPlayback { .. }
            | ClientEvent::ResponseCreate { .. } => {}
        }
        event
    }

    fn qualify<Id: From<String> + fmt::Display + Default + PartialEq>(self, id: &mut Id) {
        if self.0 > FIRST && *id != Id::default() {
            *id = format!("{}.{id}", self.0).into();
        }
    }

    fn qualify_response(self, response: &mut Response) {
        self.qualify(&mut response.id);
        response.output.iter_mut().flatten().for_each(|item| self.qualify_item(item));
    }

    fn qualify_item(self, item: &mut Item) {
        item.id.iter_mut().for_each(|id| self.qualify(id));
        item.call_id.iter_mut().for_each(|id| self.qualify(id));
    }
}

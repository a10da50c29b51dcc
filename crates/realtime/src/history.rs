//! The conversation history as the caller heard it, replayed to each new session: no Realtime session can be resumed.

mod hosted_tools;

use crate::heard_words::{heard_words, shortened, words_within};
use crate::{ItemId, ToolCallId};
pub(crate) use hosted_tools::{HostedAnswer, HostedHistory};
use serde_json::{Value, json};
use std::time::Duration;

/// How many of the last messages are replayed verbatim.
const VERBATIM: usize = 12;

/// How many messages before those are summarized.
const SUMMARIZED: usize = 24;

/// How much of each summarized message is kept, in characters.
const SUMMARY_LENGTH: usize = 80;

/// Ends every replay: sessions otherwise introduce themselves again.
const GAP: &str = "The line dropped for a moment. Continue where you were, in the same language. Do not greet or \
                   introduce yourself again, and do not mention the interruption.";

/// Added when the caller waits for an answer to a turn without a transcript.
const MISSED: &str = "You did not catch what the caller said last: ask them to say it again.";

/// The messages, tool calls and notes of a conversation, in order.
#[derive(Debug, Default)]
pub(crate) struct ConversationHistory {
    entries: Vec<HistoryEntry>,
}

#[derive(Debug)]
enum HistoryEntry {
    Caller { item: ItemId, text: String, is_silence: bool },
    Agent(AgentItem),
    Note { text: String },
    ToolCall { call_id: ToolCallId, name: String, arguments: String },
    ToolOutput { call_id: ToolCallId, output: String },
    HostedCall(HostedHistory),
}

#[derive(Debug)]
struct AgentItem {
    item: ItemId,
    text: String,
    received: Duration,
    is_complete: bool,
    /// How much was heard, and of how much, if the item was interrupted.
    heard: Option<(Duration, Duration)>,
    /// The id of the item that replayed it to the current session.
    replayed_as: Option<ItemId>,
}

impl ConversationHistory {
    /// Adds a caller's item; its transcript comes later, if at all.
    pub(crate) fn add_caller_item(&mut self, item: &ItemId) {
        let is_known = self
            .entries
            .iter()
            .any(|entry| matches!(entry, HistoryEntry::Caller { item: known, .. } if known == item));
        if !is_known && !item.is_empty() {
            self.entries.push(HistoryEntry::Caller {
                item: item.clone(),
                text: String::new(),
                is_silence: false,
            });
        }
    }

    pub(crate) fn set_caller_transcript(&mut self, item: &ItemId, words: &str) {
        self.add_caller_item(item);
        for entry in &mut self.entries {
            match entry {
                HistoryEntry::Caller { item: known, text, .. } if known == item => words.clone_into(text),
                HistoryEntry::Caller { .. } | HistoryEntry::Agent(_) | HistoryEntry::Note { .. } => {}
                HistoryEntry::ToolCall { .. }
                | HistoryEntry::ToolOutput { .. }
                | HistoryEntry::HostedCall(_) => {}
            }
        }
    }

    /// Marks a caller's item as silent: its transcript is invented, and is not replayed.
    pub(crate) fn mark_caller_item_silent(&mut self, item: &ItemId) {
        self.add_caller_item(item);
        for entry in &mut self.entries {
            match entry {
                HistoryEntry::Caller { item: known, is_silence, .. } if known == item => *is_silence = true,
                HistoryEntry::Caller { .. } | HistoryEntry::Agent(_) | HistoryEntry::Note { .. } => {}
                HistoryEntry::ToolCall { .. }
                | HistoryEntry::ToolOutput { .. }
                | HistoryEntry::HostedCall(_) => {}
            }
        }
    }

    pub(crate) fn add_agent_item(&mut self, item: &ItemId) {
        if self.spoken(item).is_none() {
            self.entries.push(HistoryEntry::Agent(AgentItem {
                item: item.clone(),
                text: String::new(),
                received: Duration::ZERO,
                is_complete: false,
                heard: None,
                replayed_as: None,
            }));
        }
    }

    pub(crate) fn append_agent_transcript(&mut self, item: &ItemId, words: &str) {
        self.add_agent_item(item);
        self.spoken(item).into_iter().for_each(|spoken| spoken.text.push_str(words));
    }

    pub(crate) fn set_agent_transcript(&mut self, item: &ItemId, words: &str) {
        self.add_agent_item(item);
        self.spoken(item).into_iter().for_each(|spoken| words.clone_into(&mut spoken.text));
    }

    /// Sets the transcript from the completed item, unless it is known already.
    pub(crate) fn set_missing_agent_transcript(&mut self, item: &ItemId, words: &str) {
        self.add_agent_item(item);
        let spoken = self.spoken(item).filter(|spoken| spoken.text.is_empty());
        spoken.into_iter().for_each(|spoken| words.clone_into(&mut spoken.text));
    }

    /// Records how much audio of an item has arrived, and with `is_complete` that no more will.
    pub(crate) fn set_received(&mut self, item: &ItemId, received: Duration, is_complete: bool) {
        self.add_agent_item(item);
        self.spoken(item).into_iter().for_each(|spoken| {
            spoken.received = received;
            spoken.is_complete |= is_complete;
        });
    }

    /// Records how much of an item was heard, and returns the id of its replay if that holds other words.
    pub(crate) fn set_heard(&mut self, item: &ItemId, heard: Duration, of: Duration) -> Option<ItemId> {
        let spoken = self.spoken(item)?;
        let before = spoken.heard_words().len();
        spoken.heard = Some((heard, of));
        let has_changed = spoken.heard_words().len() != before;
        spoken.replayed_as.take_if(|_| has_changed)
    }

    /// Returns the transcript of an agent's item, cut to the audio that arrived.
    pub(crate) fn agent_transcript(&self, item: &ItemId) -> &str {
        let words = self.entries.iter().rev().find_map(|entry| match entry {
            HistoryEntry::Agent(spoken) if spoken.item == *item => Some(spoken.received_words()),
            HistoryEntry::Agent(_) | HistoryEntry::Caller { .. } | HistoryEntry::Note { .. } => None,
            HistoryEntry::ToolCall { .. } | HistoryEntry::ToolOutput { .. } | HistoryEntry::HostedCall(_) => {
                None
            }
        });
        words.unwrap_or_default()
    }

    pub(crate) fn add_note(&mut self, text: &str) {
        self.entries.push(HistoryEntry::Note { text: text.to_owned() });
    }

    pub(crate) fn add_tool_call(&mut self, call_id: &ToolCallId, name: &str, arguments: &str) {
        let (call_id, name, arguments) = (call_id.clone(), name.to_owned(), arguments.to_owned());
        self.entries.push(HistoryEntry::ToolCall { call_id, name, arguments });
    }

    pub(crate) fn add_tool_output(&mut self, call_id: &ToolCallId, output: &str) {
        self.entries.push(HistoryEntry::ToolOutput { call_id: call_id.clone(), output: output.to_owned() });
    }

    /// Removes an agent's item or a hosted MCP call.
    pub(crate) fn remove(&mut self, item: &ItemId) {
        self.entries.retain(|entry| match entry {
            HistoryEntry::Agent(spoken) => spoken.item != *item,
            HistoryEntry::HostedCall(hosted) => hosted.item != *item,
            HistoryEntry::Caller { .. }
            | HistoryEntry::Note { .. }
            | HistoryEntry::ToolCall { .. }
            | HistoryEntry::ToolOutput { .. } => true,
        });
    }

    /// Returns the position of an agent's item in the history.
    pub(crate) fn position(&self, wanted: &ItemId) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| matches!(entry, HistoryEntry::Agent(spoken) if spoken.item == *wanted))
    }

    /// Returns the items that replay the history to a new session. `id` names them; `is_answer_pending` says that the caller waits for an
    /// answer.
    pub(crate) fn replay(&mut self, is_answer_pending: bool, mut id: impl FnMut() -> ItemId) -> Vec<Value> {
        let from = self.verbatim_from();
        let before = self.entries[..from].iter().filter_map(HistoryEntry::summary).collect::<Vec<_>>();
        let before = before[before.len().saturating_sub(SUMMARIZED)..].join("\n");
        let mut items = vec![];
        if !before.is_empty() {
            items.push(message("system", "input_text", &format!("Earlier in this call:\n{before}")));
        }
        for at in 0..self.entries.len() {
            if at < from && !self.is_open_call(at) {
                continue;
            }
            items.extend(self.entries[at].item(&mut id));
        }
        let last = self.entries.iter().rev().find(|entry| !entry.is_silence());
        let missed = matches!(last, Some(HistoryEntry::Caller { text, .. }) if text.is_empty());
        let gap = if missed && is_answer_pending { format!("{GAP} {MISSED}") } else { GAP.to_owned() };
        items.push(message("system", "input_text", &gap));
        items
    }

    /// Returns the item that replays one agent's item, cut to what was heard.
    pub(crate) fn replay_item(&mut self, item: &ItemId, id: impl FnOnce() -> ItemId) -> Option<Value> {
        self.spoken(item)?.item(id)
    }

    /// Returns where the verbatim replay starts: a tool's output is never separated from its call.
    fn verbatim_from(&self) -> usize {
        let from = self.entries.len().saturating_sub(VERBATIM);
        let outputs = self.entries[from..].iter().filter_map(|entry| match entry {
            HistoryEntry::ToolOutput { call_id, .. } => self.call_at(call_id),
            HistoryEntry::Caller { .. } | HistoryEntry::Agent(_) | HistoryEntry::Note { .. } => None,
            HistoryEntry::ToolCall { .. } | HistoryEntry::HostedCall(_) => None,
        });
        outputs.chain([from]).min().unwrap_or(from)
    }

    fn call_at(&self, wanted: &ToolCallId) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| matches!(entry, HistoryEntry::ToolCall { call_id, .. } if call_id == wanted))
    }

    fn is_open_call(&self, at: usize) -> bool {
        let HistoryEntry::ToolCall { call_id, .. } = &self.entries[at] else { return false };
        !self.entries.iter().any(
            |entry| matches!(entry, HistoryEntry::ToolOutput { call_id: answered, .. } if answered == call_id),
        )
    }

    fn spoken(&mut self, item: &ItemId) -> Option<&mut AgentItem> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            HistoryEntry::Agent(spoken) if spoken.item == *item => Some(spoken),
            HistoryEntry::Agent(_) | HistoryEntry::Caller { .. } | HistoryEntry::Note { .. } => None,
            HistoryEntry::ToolCall { .. } | HistoryEntry::ToolOutput { .. } | HistoryEntry::HostedCall(_) => {
                None
            }
        })
    }
}

impl HistoryEntry {
    fn item(&mut self, id: impl FnOnce() -> ItemId) -> Option<Value> {
        match self {
            Self::Caller { text, is_silence, .. } if *is_silence || text.is_empty() => None,
            Self::Caller { text, .. } | Self::Note { text } => Some(message("user", "input_text", text)),
            Self::Agent(spoken) => spoken.item(id),
            Self::ToolCall { call_id, name, arguments } => Some(json!({
                "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments,
            })),
            Self::ToolOutput { call_id, output } => Some(json!({
                "type": "function_call_output", "call_id": call_id, "output": output,
            })),
            Self::HostedCall(hosted) => hosted.item(),
        }
    }

    fn is_silence(&self) -> bool {
        matches!(self, Self::Caller { is_silence: true, .. })
    }

    fn summary(&self) -> Option<String> {
        let (who, text) = match self {
            Self::Caller { is_silence: true, .. } => return None,
            Self::Caller { text, .. } => ("Caller", text.as_str()),
            Self::Agent(spoken) => ("You", spoken.heard_words()),
            Self::Note { text } => ("System", text.as_str()),
            Self::ToolOutput { output, .. } => ("Tool", output.as_str()),
            Self::HostedCall(HostedHistory { answer: HostedAnswer::Answered(output), .. }) => {
                ("Tool", output.as_str())
            }
            Self::HostedCall(_) | Self::ToolCall { .. } => return None,
        };
        (!text.is_empty()).then(|| format!("{who}: {}", shortened(text, SUMMARY_LENGTH)))
    }
}

impl AgentItem {
    fn item(&mut self, id: impl FnOnce() -> ItemId) -> Option<Value> {
        let words = self.heard_words();
        if words.is_empty() {
            return None;
        }
        let mut item = message("assistant", "output_text", words);
        let id = id();
        item["id"] = json!(id);
        self.replayed_as = Some(id);
        Some(item)
    }

    fn heard_words(&self) -> &str {
        match self.heard {
            Some((heard, of)) => heard_words(self.received_words(), heard, of),
            None => self.received_words(),
        }
    }

    /// Cuts the transcript to the audio that arrived: the text runs ahead of the audio, and the rest may never come.
    fn received_words(&self) -> &str {
        if self.is_complete {
            return &self.text;
        }
        words_within(&self.text, self.received)
    }
}

fn message(role: &str, kind: &str, text: &str) -> Value {
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

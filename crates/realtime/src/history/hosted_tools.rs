//! Hosted MCP calls in the history.

use super::{ConversationHistory, HistoryEntry, message};
use crate::ItemId;
use serde_json::Value;

/// How much of a tool's output is replayed, in characters.
const LONGEST_ANSWER: usize = 4_000;

/// A hosted MCP call and its outcome.
#[derive(Debug)]
pub(crate) struct HostedHistory {
    pub(super) item: ItemId,
    pub tool: String,
    /// The arguments, JSON text.
    pub arguments: String,
    pub answer: HostedAnswer,
}

/// The outcome of a hosted MCP call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HostedAnswer {
    NotYet,
    Answered(String),
    Failed(String),
    /// The session was lost, or the call took too long.
    Unknown,
}

impl ConversationHistory {
    /// Adds a call that the service makes itself.
    pub(crate) fn add_hosted_call(&mut self, item: &ItemId, tool: &str) {
        let (item, tool) = (item.clone(), tool.to_owned());
        self.entries.push(HistoryEntry::HostedCall(HostedHistory {
            item,
            tool,
            arguments: String::new(),
            answer: HostedAnswer::NotYet,
        }));
    }

    /// Returns the call of an item.
    pub(crate) fn hosted_call(&mut self, wanted: &ItemId) -> Option<&mut HostedHistory> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            HistoryEntry::HostedCall(hosted) if hosted.item == *wanted => Some(hosted),
            HistoryEntry::HostedCall(_)
            | HistoryEntry::Agent(_)
            | HistoryEntry::Caller { .. }
            | HistoryEntry::Note { .. } => None,
            HistoryEntry::ToolCall { .. } | HistoryEntry::ToolOutput { .. } => None,
        })
    }
}

impl HostedHistory {
    /// Replays the call as a system message: a session accepts no MCP call item of another session.
    pub(super) fn item(&self) -> Option<Value> {
        let shortly = |text: &str| text.chars().take(LONGEST_ANSWER).collect::<String>();
        let answer = match &self.answer {
            HostedAnswer::NotYet => return None,
            HostedAnswer::Answered(output) => format!("It answered: {}", shortly(output)),
            HostedAnswer::Failed(error) => format!("It failed. {}", shortly(error)),
            HostedAnswer::Unknown => {
                "It is not known what came of it: do not simply call it again.".to_owned()
            }
        };
        let text = format!("You called the tool {} with {}. {answer}", self.tool, self.arguments);
        Some(message("system", "input_text", &text))
    }
}

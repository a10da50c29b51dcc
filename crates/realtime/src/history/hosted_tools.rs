//! What tools of remote servers have answered, which the service called itself.

use super::{ConversationHistory, HistoryEntry, message};
use serde_json::Value;

/// How much of an answer is told, characters.
const LONGEST_ANSWER: usize = 4_000;

/// A call of such a tool.
#[derive(Debug)]
pub(crate) struct HostedHistory {
    pub(super) item: String,
    pub tool: String,
    /// JSON, as text.
    pub arguments: String,
    pub came: HostedAnswer,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HostedAnswer {
    NotYet,
    Answered(String),
    Failed(String),
    /// Its session was lost, or it took too long.
    Unknown,
}

impl ConversationHistory {
    /// The service calls a tool itself.
    pub(crate) fn call_hosted(&mut self, item: &str, tool: &str) {
        let (item, tool) = (item.to_owned(), tool.to_owned());
        self.entries.push(HistoryEntry::Hosted(HostedHistory {
            item,
            tool,
            arguments: String::new(),
            came: HostedAnswer::NotYet,
        }));
    }

    /// The call that the service made by this item.
    pub(crate) fn hosted(&mut self, wanted: &str) -> Option<&mut HostedHistory> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            HistoryEntry::Hosted(hosted) if hosted.item == wanted => Some(hosted),
            HistoryEntry::Hosted(_)
            | HistoryEntry::Agent(_)
            | HistoryEntry::Caller { .. }
            | HistoryEntry::Told { .. } => None,
            HistoryEntry::Called { .. } | HistoryEntry::Answered { .. } => None,
        })
    }
}

impl HostedHistory {
    /// In words: a session takes no call of a server's tool that another one has made.
    pub(super) fn item(&self) -> Option<Value> {
        let shortly = |text: &str| text.chars().take(LONGEST_ANSWER).collect::<String>();
        let came = match &self.came {
            HostedAnswer::NotYet => return None,
            HostedAnswer::Answered(output) => format!("It answered: {}", shortly(output)),
            HostedAnswer::Failed(error) => format!("It failed. {}", shortly(error)),
            HostedAnswer::Unknown => {
                "It is not known what came of it: do not simply call it again.".to_owned()
            }
        };
        let text = format!("You called the tool {} with {}. {came}", self.tool, self.arguments);
        Some(message("system", "input_text", &text))
    }
}

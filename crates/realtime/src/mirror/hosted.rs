//! What tools of remote servers have answered, which the service called itself.

use super::{Entry, Mirror, message};
use serde_json::Value;

/// How much of an answer is told, characters.
const LONGEST_ANSWER: usize = 4_000;

/// A call of such a tool.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(super) item: String,
    pub tool: String,
    /// JSON, as text.
    pub arguments: String,
    pub came: Came,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    NotYet,
    Answered(String),
    Failed(String),
    /// Its session was lost, or it took too long.
    Unknown,
}

impl Mirror {
    /// The service calls a tool itself.
    pub(crate) fn call_hosted(&mut self, item: &str, tool: &str) {
        let (item, tool) = (item.to_owned(), tool.to_owned());
        self.entries.push(Entry::Hosted(Hosted { item, tool, arguments: String::new(), came: Came::NotYet }));
    }

    /// The call that the service made by this item.
    pub(crate) fn hosted(&mut self, wanted: &str) -> Option<&mut Hosted> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Hosted(hosted) if hosted.item == wanted => Some(hosted),
            Entry::Hosted(_) | Entry::Agent(_) | Entry::Caller { .. } | Entry::Told { .. } => None,
            Entry::Called { .. } | Entry::Answered { .. } => None,
        })
    }
}

impl Hosted {
    /// In words: a session takes no call of a server's tool that another one has made.
    pub(super) fn item(&self) -> Option<Value> {
        let shortly = |text: &str| text.chars().take(LONGEST_ANSWER).collect::<String>();
        let came = match &self.came {
            Came::NotYet => return None,
            Came::Answered(output) => format!("It answered: {}", shortly(output)),
            Came::Failed(error) => format!("It failed. {}", shortly(error)),
            Came::Unknown => "It is not known what came of it: do not simply call it again.".to_owned(),
        };
        let text = format!("You called the tool {} with {}. {came}", self.tool, self.arguments);
        Some(message("system", "input_text", &text))
    }
}
